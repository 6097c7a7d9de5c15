PROOFS += overload-quick
.PHONY: overload overload-quick
OVERLOAD_JSON ?=

overload: ## Send 2, 5 and 10 times of the peak, and take parts away: the full form, with a table (about fifteen minutes).
	go run ./internal/overload/run $(if $(OVERLOAD_JSON),-json $(OVERLOAD_JSON))

overload-quick: ## The same in about two minutes, with lenient limits, and a control that must fail.
	go run ./internal/overload/run -quick $(if $(OVERLOAD_JSON),-json $(OVERLOAD_JSON))
