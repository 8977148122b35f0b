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
