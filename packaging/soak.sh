#!/bin/sh
# The long tests: every decoder fuzzed, programs killed and power cut by the
# thousand, a TPM that hangs for minutes, the concurrent packages again and again
# under the race detector. One line a part: outcome, seconds, figures.
#
# Usage: packaging/soak.sh [PERCENT [PART…]], of the whole, which takes three hours
# on two processors; 100 unless told. Thus: make soak ARGS=12, or one part with
# make soak ARGS="100 TestTPMHangs", all that is fuzzed with ARGS="100 Fuzz".
#
# What each part printed is in var/soak/. Exit status: 1 when one of them failed.
set -eu
percent=${1:-100}
[ $# -eq 0 ] || shift
only=$*
out=var/soak
status=0

usage() {
	echo "usage: packaging/soak.sh [PERCENT [PART…]]" >&2
	exit 2
}
case $percent in *[!0-9]* | "") usage ;; esac
[ "$percent" -ge 1 ] || usage
mkdir -p "$out"

# share N is that percentage of N, and 1 at the least.
share() {
	n=$(($1 * percent / 100))
	if [ "$n" -lt 1 ]; then n=1; fi
	echo "$n"
}

# wanted tells whether a part is asked for: all are, unless some are named.
wanted() {
	[ -n "$only" ] || return 0
	for word in $only; do
		case $1 in *"$word"*) return 0 ;; esac
	done
	return 1
}

# part NAME COMMAND… runs one, and says how it went.
part() {
	name=$1
	shift
	wanted "$name" || return 0
	begun=$(date +%s)
	log=$out/$name.log
	if "$@" >"$log" 2>&1; then outcome=ok; else outcome=FAILED status=1; fi
	printf '%-6s %5d s  %-28s %s\n' "$outcome" $(($(date +%s) - begun)) "$name" "$(figures "$log")"
}

# figures is what a part has to tell: what its tests logged, how much was fuzzed.
figures() {
	sed -n -e 's/^ *[a-z_]*_test\.go:[0-9]*: //p' -e 's/^fuzz: elapsed: [0-9hms]*, \(execs: [0-9]*\).*new interesting: \(.*\)/\1, \2 interesting/p' "$1" |
		tail -n 1 | cut -c 1-200
}

long() {
	package=$1 name=$2
	shift 2
	part "$name" go test -count=1 -v -timeout 3h -run "^$name\$" "$package" "$@"
}

long ./hardware/tpm TestKilledAtRandom -kills "$(share 1000)"
long ./hardware/tpm TestPowerCutsWhileWorking -cuts "$(share 200)"
long ./hardware/tpm TestPowerCutsWhileCounting -cuts "$(share 1000)"
long ./node/internal/store TestKill -kills "$(share 500)"
long ./node TestAnyFlippedOctetIsNamed -octets
long ./node TestDamageAnywhereIsReported -damages "$(share 20000)"
long ./node TestMandateMachine -rapid.checks "$(share 5000)"
long ./node TestCrashesCastNoDoubt -crashes "$(share 5000)"
long ./sync/simulation TestSimulation -seeds "$(share 10000)"
long ./sync/gossip TestManyHubs -hubs 28
long ./sync/gossip TestMoreHubsThanSessions -hubs 40
long ./cmd/relais TestProgramKilled -programkills "$(share 1000)"
long ./cmd/relais TestNamespaces -namespaces
long ./cmd/relais TestTPMHangs -hang "$(share 300)s"

# fuzz SECONDS TARGET PACKAGE. In a large program coverage varies by itself, and making
# an input smaller would take all the time: 20 tries are enough. What then ran less
# than once a second did not fuzz.
fuzz() {
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$1s" -fuzzminimizetime 20x "$3" | tee "$out/fuzz"
	execs=$(sed -n 's/^fuzz: .* execs: \([0-9]*\) .*/\1/p' "$out/fuzz" | tail -n 1)
	grep -q '^ok' "$out/fuzz" && [ "${execs:-0}" -ge "$1" ]
}

seconds=$(share 60)
[ "$seconds" -ge 10 ] || seconds=10 # what was found before is gone through first
for found in $(git ls-files '*_test.go' | xargs grep -o '^func Fuzz[A-Za-z0-9]*' | sed 's/func //'); do
	target=${found##*:} package=$(dirname "${found%%:*}")
	part "$(echo "$package" | tr / -)-$target" fuzz "$seconds" "$target" "./$package"
done

part race go test -race -timeout 3h -count="$(share 20)" ./node/... $(go list ./sync/... | grep -v /simulation$) ./hardware/...
part race-simulation go test -race -count=1 -v -timeout 3h -run '^TestSimulation$' ./sync/simulation -seeds "$(share 200)"
exit $status
