CRASH_JSON ?= bin/crash.json
SEED ?= $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')

# CRASH are more flags, such as --without-disk.
CRASH ?=

PROOFS += crash-quick
.PHONY: crash crash-quick
crash: prepare ## Kill, pause, cut off and fill up running systems, 200 kills of services and 25 of databases; root, for small disks.
	go vet -tags=failpoints ./internal/app/... ./internal/platform/...
	mkdir -p bin
	go run ./internal/crash/run --seed $(SEED) $(CRASH) --json $(CRASH_JSON)

crash-quick: prepare ## The same with a few faults of each kind.
	go vet -tags=failpoints ./internal/app/... ./internal/platform/...
	mkdir -p bin
	go run ./internal/crash/run --quick --parallel 6 --rate 30 --seed $(SEED) $(CRASH) --json bin/crash-quick.json
