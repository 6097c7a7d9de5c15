# sim runs SEEDS simulated worlds from FIRST on, about 30 orders each; sim-replay tells the story of world SEED.
SEEDS ?= 10000
FIRST ?= 1

.PHONY: sim sim-replay
sim:
	go test ./internal/sim -count=1 -v -timeout=0 -run 'TestWorlds$$' -seeds=$(SEEDS) -first=$(FIRST)

sim-replay:
	go test ./internal/sim -count=1 -v -run 'TestReplay$$' -seed=$(SEED)
