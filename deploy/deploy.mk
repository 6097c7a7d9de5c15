# Targets of delivery: images, the compose stack, manifests, alerts. The Makefile includes this file.

OWNER    ?= pedidos-veloz
REGISTRY ?= ghcr.io/$(OWNER)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null)
TAG      ?= $(COMMIT)
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# linux/amd64,linux/arm64 with a builder that can, and with PUSH=yes: an engine's own store may hold one platform only.
PLATFORM ?=
# yes sends the images to REGISTRY instead of keeping them here.
PUSH     ?=

image-name = $(patsubst servico-%,%,$(1))
docker-build = DOCKER_BUILDKIT=1 docker build $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(filter yes,$(PUSH)),--push) \
  --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -f cmd/$(1)/Dockerfile -t $(REGISTRY)/$(2):latest -t $(REGISTRY)/$(2):$(TAG) .

.PHONY: images image-all-in-one
images: image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque image-all-in-one ## Build the five images.

.PHONY: image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque
image-api-gateway image-servico-pedidos image-servico-pagamentos image-servico-estoque: image-%:
	$(call docker-build,$*,pedidos-veloz-$(call image-name,$*))

image-all-in-one:
	$(call docker-build,veloz,pedidos-veloz)

.PHONY: prepare-delivery
prepare-delivery: # What the tests and the checks of delivery stand on.
	@.ci/prepare delivery

.PHONY: up up-observability down test-compose
# What docker-compose.yml stamps the images with that it builds: the same as `make images`, whose layers it then finds.
stamp = VERSION='$(VERSION)' COMMIT='$(COMMIT)'
up: ## Start the stack in containers and wait until it is healthy.
	$(stamp) docker compose up --detach --wait

up-observability: ## The stack with metrics, traces, logs and dashboards: Grafana on http://localhost:3000.
	$(stamp) docker compose --env-file deploy/compose/observability.env up --detach --wait

down: ## Stop the stack; its data stays.
	docker compose --profile observability --profile load down

test-compose: ## Prove the compose stack: an order, kills under load, down and up.
	$(stamp) deploy/test/compose.sh

image-names = $(foreach i,-api-gateway -pedidos -pagamentos -estoque,$(REGISTRY)/pedidos-veloz$(i):$(TAG)) $(REGISTRY)/pedidos-veloz:$(TAG)

# What the images are called, for a cluster that has to be given them.
.PHONY: image-names
image-names:
	@printf '%s ' $(image-names)

# As an archive of one platform: an image that was pulled names them all, an engine with containerd's store has the layers of
# one, and `kind load docker-image` ends at the first that is missing. `docker save --platform` is of Docker 28.
KIND_CLUSTER ?= veloz
.PHONY: load-kind
load-kind: ## Give the images and PostgreSQL's to the kind cluster KIND_CLUSTER.
	docker image inspect postgres:17 >/dev/null || docker pull postgres:17
	archive=$$(mktemp) && trap 'rm -f "$$archive"' EXIT && \
	  docker save --platform "linux/$$(docker version --format '{{.Server.Arch}}')" --output "$$archive" postgres:17 $(image-names) && \
	  kind load image-archive --name $(KIND_CLUSTER) "$$archive"

.PHONY: binaries
binaries: ## Build veloz for every system into dist/, with checksums.
	@rm -rf dist && mkdir -p dist
	@for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64; do \
	  system=$${target%/*}; processor=$${target#*/}; suffix=; [ $$system != windows ] || suffix=.exe; \
	  echo "veloz-$(VERSION)-$$system-$$processor$$suffix"; \
	  CGO_ENABLED=0 GOOS=$$system GOARCH=$$processor go build -trimpath -buildvcs=false \
	    -ldflags='-s -w -X github.com/pedidos-veloz/pedidos-veloz/internal/app/process.Version=$(VERSION) -X github.com/pedidos-veloz/pedidos-veloz/internal/app/process.Commit=$(COMMIT)' \
	    -o "dist/veloz-$(VERSION)-$$system-$$processor$$suffix" ./cmd/veloz; \
	done
	@cd dist && sha256sum veloz-* > checksums.txt

.PHONY: test-kubernetes
test-kubernetes: ## Prove the manifests on the cluster that kubectl talks to: apply, order, roll under load, undo a bad image.
	REGISTRY=$(REGISTRY) TAG=$(TAG) deploy/test/kubernetes.sh

# The tools of the checks, each at one version, built once into bin/.
ACTIONLINT    := bin/actionlint-v1.7.12
KUBECONFORM   := bin/kubeconform-v0.8.0
KUBE_SCORE    := bin/kube-score-v1.20.0
KUSTOMIZE     := bin/kustomize-v5.7.1
GOLANGCI_LINT := bin/golangci-lint-v2.15.0
GOVULNCHECK   := bin/govulncheck-v1.9.0
COMPOSE       := bin/docker-compose-v2.40.3
BUILDX        := bin/docker-buildx-v0.29.1
TOFU          := bin/tofu-v1.12.6

# install FILE PACKAGE: the version is the end of the file's name.
version = v$(lastword $(subst -v, ,$(1)))
install = CGO_ENABLED=0 GOBIN=$(CURDIR)/bin/.$(notdir $(1)) go install $(2)@$(version) && mv bin/.$(notdir $(1))/* $(1) && rmdir bin/.$(notdir $(1))
# build FILE MODULE PACKAGE VARIABLE: the same for modules that replace or exclude others, which go install refuses. VARIABLE is told
# the version: compose builds only with a buildx that says that it is new enough.
build = source=$$(mktemp -d) && trap 'rm -rf "$$source"' EXIT && \
  cp -r --no-preserve=mode "$$(go mod download -json $(2)@$(version) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')/." "$$source" && \
  CGO_ENABLED=0 go build -C "$$source" -trimpath -ldflags='-s -w $(if $(4),-X $(4)=$(version))' -o $(CURDIR)/$(1) $(3)
$(ACTIONLINT):    ; $(call install,$@,github.com/rhysd/actionlint/cmd/actionlint)
$(KUBECONFORM):   ; $(call install,$@,github.com/yannh/kubeconform/cmd/kubeconform)
$(KUBE_SCORE):    ; $(call install,$@,github.com/zegl/kube-score/cmd/kube-score)
$(KUSTOMIZE):     ; $(call install,$@,sigs.k8s.io/kustomize/kustomize/v5)
$(GOLANGCI_LINT): ; $(call install,$@,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
$(GOVULNCHECK):   ; $(call install,$@,golang.org/x/vuln/cmd/govulncheck)
$(COMPOSE):       ; $(call build,$@,github.com/docker/compose/v2,./cmd,github.com/docker/compose/v2/internal.Version)
$(BUILDX):        ; $(call build,$@,github.com/docker/buildx,./cmd/buildx,github.com/docker/buildx/version.Version)
$(TOFU):          ; $(call build,$@,github.com/opentofu/opentofu,./cmd/tofu)

# docker-plugin NAME FILE: builds a plugin and puts it where Docker looks, if Docker does not have it, or one of no known version.
docker-plugin = docker $(1) version 2>/dev/null | grep -v unknown || { $(MAKE) $(2) && install -D $(2) "$${DOCKER_CONFIG:-$$HOME/.docker}/cli-plugins/docker-$(1)"; }
.PHONY: docker-plugins
docker-plugins: ## Give Docker compose and buildx, where it lacks them.
	@$(call docker-plugin,compose,$(COMPOSE))
	@$(call docker-plugin,buildx,$(BUILDX))

.PHONY: check-workflows check-manifests check-alerts check-terraform golangci-lint vulnerabilities
check-workflows: $(ACTIONLINT) ## Lint the GitHub workflows.
	$(ACTIONLINT) .github/workflows/*.yml

# SCHEMAS is where kubeconform finds Kubernetes' JSON schemas, the public place by default.
check-manifests: $(KUBECONFORM) $(KUBE_SCORE) $(KUSTOMIZE) ## Validate the Kubernetes manifests and overlays.
	KUBECONFORM=$(KUBECONFORM) KUBE_SCORE=$(KUBE_SCORE) KUSTOMIZE=$(KUSTOMIZE) deploy/test/manifests.sh

check-alerts: ## Check and test the alert rules, and the dashboards; needs promtool, as Debian's prometheus package has it.
	deploy/test/alerts.sh

# terraform or tofu, whichever is installed; where neither is, tofu is built.
TERRAFORM ?= $(or $(shell command -v terraform || command -v tofu),$(TOFU))
check-terraform: $(filter $(TOFU),$(TERRAFORM)) ## Check the Terraform code with terraform or tofu.
	TERRAFORM=$(abspath $(TERRAFORM)) deploy/test/terraform.sh

golangci-lint: $(GOLANGCI_LINT) ## The long lint, as CI runs it.
	$(GOLANGCI_LINT) run

vulnerabilities: $(GOVULNCHECK) ## Look for known vulnerabilities in what is really called.
	$(GOVULNCHECK) ./...

PROOFS += test-rolls
.PHONY: test-rolls
test-rolls: ## Twenty rolls of two instances of each service under load: no request may fail.
	go test -count=1 -v ./internal/rolling -run TestRolls -rolls=20
