.PHONY: prove hostile
prove: prepare ## Run every proof in its full form (about an hour) and write docs/verdict.md; root, for small disks. RESUME=1 goes on with a run that was broken off.
	go run ./internal/prove/run $(if $(RESUME),-resume)

hostile: prepare ## Hostile input and the security battery, with each test's name.
	go test ./internal/acceptance ./internal/gateway ./internal/platform/httpx -count=1 -v -timeout=20m
