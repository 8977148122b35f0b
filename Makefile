# Relais: `make` alone prints what can be asked.

GO      ?= go
ARGS    ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
# A clock behind the release cannot be right: grants wait until it is set.
RELEASE ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

LDFLAGS  = -X main.version=$(VERSION) -X main.released=$(RELEASE)
TOOL     = $(GO) tool -modfile=packaging/tools/go.mod
GOLANGCI = $(GO) tool -modfile=packaging/tools/golangci/go.mod golangci-lint
# Packages whose tests run inside the test process, under the race detector.
# The commands' tests start real processes, so they run as they ship; the simulation
# plays five times as many territories without the detector, which make soak gives it.
INSIDE   = $(shell $(GO) list ./... | grep -v -e '^relais/cmd/' -e '^relais/sync/simulation$$')

.DEFAULT_GOAL := help
.PHONY: help bootstrap build demo run test test-inside test-processes check lint bench soak shots clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## install what the demo and the tests need from Debian (as root)
	@packaging/bootstrap.sh

build: ## build bin/relais and bin/national
	@$(GO) build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/ ./cmd/relais ./cmd/national

demo: bootstrap build ## play the main job on three hubs; ARGS="--once --json" ends after it
	@bin/relais demo $(ARGS)

run: build ## serve one hub on the embedded default, in var/hub
	@packaging/run.sh

test: bootstrap build ## run every test
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-inside test-processes

# Under the race detector.
test-inside:
	$(GO) test -race -timeout 20m $(INSIDE)

# They start the programs as they ship, and wait for them more than they compute:
# several at once.
test-processes:
	$(GO) test -timeout 20m -parallel 4 ./cmd/... ./sync/simulation

check: lint ## all that can be said without running: format, vet, staticcheck, floors and doors
	$(GO) test -count=1 -run 'TestFloors|TestDoors' ./cmd/relais

lint: ## gofumpt, go vet, staticcheck, golangci-lint
	@files=$$(git ls-files -co --exclude-standard '*.go') && [ -n "$$files" ] || { echo "no Go files: is this a git checkout?"; exit 1; }; \
	unformatted=$$($(TOOL) gofumpt -l $$files) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not in gofumpt style:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GOLANGCI) run --show-stats=false ./...

bench: ## measure the goals: a table of ratios, and var/bench.json
	@mkdir -p var
	@$(GO) run ./packaging/bench -out var/bench.json $(ARGS)

soak: ## fuzz, kill, cut, race and simulate for three hours; ARGS=12 takes that percentage of it
	@packaging/soak.sh $(ARGS)

shots: bootstrap ## take the screenshots of the main job into var/shots
	$(GO) test -count=1 -run TestBrowser ./cmd/relais -shots

clean: ## remove what was built and played
	rm -rf bin var
