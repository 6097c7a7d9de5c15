SEEDS ?= 12000
FIRST ?= 1

PROOFS += sim
.PHONY: sim sim-replay
sim: ## Simulate SEEDS worlds that go wrong, from FIRST on; about 27 orders each.
	go test ./internal/sim -count=1 -v -timeout=0 -run 'TestWorlds$$' -seeds=$(SEEDS) -first=$(FIRST)

sim-replay: ## Tell the story of world SEED.
	go test ./internal/sim -count=1 -v -run 'TestReplay$$' -seed=$(SEED)
