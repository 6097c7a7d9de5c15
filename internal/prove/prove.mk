.PHONY: prove hostile
prove: prepare ## Run every proof in its full form (about an hour) and write docs/verdict.md; root, for small disks. RESUME=1 proves only what did not hold before, or depends on what has changed since.
	go run ./internal/prove/run $(if $(RESUME),-resume)

hostile: prepare ## Hostile input and the security battery, with each test's name.
	go test ./internal/acceptance ./internal/gateway ./internal/platform/httpx -count=1 -v -timeout=20m
