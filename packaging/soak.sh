#!/bin/sh
# The long tests: each fuzz target for a while, then the concurrent packages
# again and again under the race detector. Argument: seconds a target, 60 unless told.
set -eu
seconds=${1:-60}
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "soak: $package $target for $seconds s"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" "$package"
	done
done
go test -race -count=20 ./node/... ./sync/...
# Power cuts by the thousand: while the TPM counts, and between the steps of what
# it counts for.
go test -count=1 -timeout 1h -run TestPowerCutsWhileCounting ./hardware/tpm -cuts 1000
go test -count=1 -timeout 1h -run TestCrashesCastNoDoubt ./node -crashes 5000
