#!/bin/sh
# `make run`: one hub on the embedded default. SQLite in var/hub, software keys,
# its own certificate authority, no network beyond this machine.
set -eu
config=var/hub/relais.toml
if [ ! -e "$config" ]; then
	mkdir -p var/hub
	bin/relais init --solo --config "$config"
fi
exec bin/relais serve --config "$config"
