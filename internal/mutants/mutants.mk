PROOFS += mutants
.PHONY: mutants
mutants: ## Seed faults into the real code, one at a time; a test must notice each.
	go run ./internal/mutants/run
