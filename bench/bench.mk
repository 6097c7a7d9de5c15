# Targets of bench/, for the Makefile at the top.
.PHONY: bench bench-quick

bench: ## Compare with conventional designs: a table of ratios, and bench/RESULTS.md (about fifteen minutes)
	go run ./bench

bench-quick: ## The same in about two minutes, without writing the results down
	go run ./bench -quick -results=
