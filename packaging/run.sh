#!/bin/sh
# `make run`: one hub on the embedded default. SQLite in var/hub, software keys,
# its own certificate authority, no network beyond this machine.
set -eu
hub=var/hub
config=$hub/relais.toml
# The request is written last: without it a first run was interrupted, and
# nothing was done with what it left.
if [ ! -e "$hub/data/hub.json" ]; then
	rm -rf "$hub/data"
	mkdir -p "$hub"
	bin/relais init --solo --config "$config"
else
	echo "This hub was made by an earlier run: sign in as then, or open another account,"
	echo "from another terminal, which prints a login, a passphrase and a code:"
	echo "  bin/relais helper add --config $config --login camille --given Camille --family ESSAI"
fi
echo
echo "Go to the first address below and sign in (the second is the kiosk); Ctrl-C ends it."
echo "Your browser does not know this hub's own authority yet: $hub/data/ca.pem."
exec bin/relais serve --config "$config"
