# Targets of bench/, for the Makefile at the top.
.PHONY: bench bench-quick bench-growth bench-prepare

bench: bench-prepare ## Compare with conventional designs and with other proxies: ratios against targets, and bench/RESULTS.md (about twenty minutes)
	go run ./bench

bench-quick: ## The same in about two minutes, without writing the results down
	go run ./bench -quick -results=-

bench-growth: ## How cost grows: orders in the tables, SKUs an order, replicas; bench/GROWTH.md and its charts. SIZES=0,1000000 for less disk
	go run ./bench -growth $(if $(SIZES),-orders $(SIZES))

# What is compared with is left out, and that is said, where it cannot be installed.
bench-prepare: ## Install the proxies that bench compares with, and PostgreSQL, where they are missing
	-@.ci/prepare bench
