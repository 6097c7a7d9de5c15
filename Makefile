# The developer's commands. `make` alone lists them; `.ci/run` is what CI runs, with these targets.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# One time-out a package: the slowest took six minutes under the race detector, on two cores that others used too.
TEST_TIMEOUT ?= 15m
# How long `make fuzz` spends on each target.
FUZZTIME     ?= 5s
# What `make test` and `make test-quick` test.
PACKAGES     ?= ./...

STATICCHECK_VERSION := v0.8.0
STATICCHECK         := bin/staticcheck-$(STATICCHECK_VERSION)

# All of `make check` is built for the race detector: one build serves vet, staticcheck and the tests, where two builds of
# the embedded engine cost minutes on two cores.
RACE := -race

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-zA-Z_ -]*:.*## / {split($$1, names, " "); printf "  \033[1m%-18s\033[0m %s\n", names[1], $$2}' $(MAKEFILE_LIST)

## Running

.PHONY: run up-four build
run: ## Run the platform in one process, with a small catalogue: http://localhost:8000.
	go run ./cmd/veloz up --demo

up-four: ## Run it as four processes; DATABASE=postgres://user:password@host takes the databases pedidos, pagamentos and estoque there.
	@scripts/up-four

build: ## Build the programs into bin/.
	go build -o bin/ ./cmd/...

## Testing

.PHONY: check test test-quick prepare
check: check-format check-generated vet staticcheck check-allocations test ## The checks of the code; CI (.ci/run) also checks delivery and proves.

test: prepare ## Test everything under the race detector; installs PostgreSQL and a C compiler where they are missing.
	go test $(RACE) -timeout=$(TEST_TIMEOUT) $(PACKAGES)

test-quick: ## Test without the race detector and without the acceptance suite.
	go test -timeout=$(TEST_TIMEOUT) $$(go list $(PACKAGES) | grep -v /internal/acceptance$$)

prepare: # What the tests stand on.
	@.ci/prepare

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME.
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r package; do \
	  go test -list '^Fuzz' "$$package" | grep '^Fuzz' | while read -r target; do \
	    echo "--- $$package $$target"; \
	    scripts/fuzz.sh "$$package" "$$target" $(FUZZTIME) || exit 1; \
	  done; \
	done

## Checking

.PHONY: lint check-format vet staticcheck check-allocations
lint: check-format vet staticcheck ## gofmt, go vet and staticcheck.

check-format:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi

vet: prepare
	go vet $(RACE) ./...

staticcheck: prepare $(STATICCHECK)
	GOFLAGS="$$(go env GOFLAGS) $(RACE)" $(STATICCHECK) ./...

# Without the race detector, which allocates by itself, and without the embedded engine, which takes minutes to build.
check-allocations: ## Compare what an order allocates with what it may.
	go test -tags=noembedded -count=1 -run=^TestAllocations ./internal/app/orderpath

$(STATICCHECK):
	GOBIN=$(CURDIR)/bin/.new go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv bin/.new/staticcheck $@ && rmdir bin/.new

## Generating

.PHONY: generate check-generated
generate: ## Generate code from the contracts.
	go generate ./...

# The content is compared, and not with the last commit: who changes a contract commits both together.
generated-sum = find api -type f -exec sha256sum {} + | sort -k2 | sha256sum
check-generated:
	@before=$$($(generated-sum)); said=$$(go generate ./... 2>&1) || { echo "$$said"; exit 1; }; after=$$($(generated-sum)); \
	if [ "$$before" != "$$after" ]; then echo "generated files were stale; they are fresh now: commit them"; git status --short api; exit 1; fi

## Delivering, proving

# What proves a promise within minutes adds its target to PROOFS, in the .mk file beside it, and CI runs it.
PROOFS :=
-include deploy/*.mk bench/*.mk internal/*/*.mk

.PHONY: prove-quick
prove-quick: $(PROOFS) ## The proofs that CI runs.
