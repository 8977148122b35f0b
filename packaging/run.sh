#!/bin/sh
# `make run`: one hub on the embedded default. SQLite in var/hub, software keys,
# its own certificate authority, no network beyond this machine.
set -eu
config=var/hub/relais.toml
if [ ! -e "$config" ]; then
	mkdir -p var/hub
	bin/relais init --solo --config "$config"
fi
echo
echo "Go to the first address below and sign in (the second is the kiosk); Ctrl-C ends it."
echo "Your browser does not know this hub's own authority yet: var/hub/data/ca.pem."
exec bin/relais serve --config "$config"
