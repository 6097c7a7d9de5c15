WORLDS ?= 500
ROUNDS ?= 1000

.PHONY: linear last-unit
linear: ## Check WORLDS concurrent histories of stock on each engine, and on two instances, for linearizability.
	go test ./internal/linear -count=1 -v -timeout=0 -run 'TestSQLite|TestPostgres|TestTwoInstances|TestBrokenStoresAreCaught' -worlds=$(WORLDS)

last-unit: ## Sell one unit to 1,000 buyers, ROUNDS times on each engine: one winner each.
	go test ./internal/linear -count=1 -v -timeout=0 -run 'TestLastUnit|TestRoundsAreJudged' -last-unit-rounds=$(ROUNDS)
