# Targets of delivery: images, the compose stack, manifests, alerts. The Makefile includes this file.

OWNER    ?= pedidos-veloz
REGISTRY ?= ghcr.io/$(OWNER)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null)
TAG      ?= $(COMMIT)
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# linux/amd64,linux/arm64 with a builder that can, and with --push: an engine's own store holds one platform.
PLATFORM ?=

image-name = $(patsubst servico-%,%,$(1))
docker-build = DOCKER_BUILDKIT=1 docker build $(if $(PLATFORM),--platform $(PLATFORM)) \
  --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -f cmd/$(1)/Dockerfile -t $(REGISTRY)/$(2):latest -t $(REGISTRY)/$(2):$(TAG) .

.PHONY: images image-all-in-one
images: image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque image-all-in-one ## Build the five images.

.PHONY: image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque
image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque: image-%:
	$(call docker-build,$*,pedidos-veloz-$(call image-name,$*))

image-all-in-one:
	$(call docker-build,veloz,pedidos-veloz)

.PHONY: up up-observability down test-compose
up: ## Start the stack in containers and wait until it is healthy.
	docker compose up --detach --wait

up-observability: ## The stack with metrics, traces, logs and dashboards: Grafana on http://localhost:3000.
	docker compose --env-file deploy/compose/observability.env up --detach --wait

down: ## Stop the stack; its data stays.
	docker compose --profile observability --profile load down

test-compose: ## Prove the compose stack: an order, kills under load, down and up.
	deploy/test/compose.sh
