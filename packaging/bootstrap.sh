#!/bin/sh
# Installs what the demo and the tests use beside Go: the only place that calls
# apt. As root it installs what is missing; otherwise it says what to type.
set -eu

# swtpm           a TPM 2.0 in a process, spoken to over its real protocol
# chromium        the browser test and the screenshots
# fonts-…         so that a screenshot of a bare machine has letters
# poppler-utils   pdftotext reads the printed mandate back
# zbar-tools      zbarimg reads its QR code back
# strace          the power-cut test replays the writes it saw
# systemd         systemd-analyze and systemd-sysusers read the units we package
# nodejs, npm     another program reads the records' vectors; any from version 18
# iproute2        network namespaces, one a hub, for make soak
# postgresql      the other database of the national service; tests start their own
packages="swtpm swtpm-tools chromium fonts-dejavu-core poppler-utils zbar-tools strace systemd iproute2 postgresql"

if ! command -v dpkg-query >/dev/null; then
	echo "bootstrap: this is not Debian; install the equivalents of: $packages" >&2
	exit 1
fi

command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"

missing=""
for package in $packages; do
	case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "bootstrap: missing packages; as root, type:" >&2
	echo "  apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

# Debian's server makes a cluster of its own when it is installed, and starts it
# with the machine: tests have theirs, so this one is not to be.
case "$missing " in
*" postgresql "*)
	mkdir -p /etc/postgresql-common/createcluster.d
	echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/relais-bootstrap.conf
	;;
esac

echo "bootstrap: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # one word a package
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	exit 1
fi
