# zmy-scaler. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
LINT := $(GO) tool -modfile=$(CURDIR)/tools/golangci-lint/go.mod golangci-lint
BUF := $(GO) tool -modfile=$(CURDIR)/tools/buf/go.mod buf
FUMPT := $(GO) tool -modfile=$(CURDIR)/tools/gofumpt/go.mod gofumpt

# The end-to-end tests are compiled like the programs they run, with the same versions,
# so that they share what was compiled: KEDA alone costs minutes.
E2E_GO = CGO_ENABLED=0 $(GO)
# make verify vets them, without all that KEDA depends on.
E2E_TEST = $(E2E_GO) test -vet=off -count=1

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Every module of the repository has its own go.mod.
MODULES = $(sort $(patsubst %/,%,$(dir $(shell find . -name go.mod -not -path './.?*'))))

# The image, and the time of everything in it: that of the commit.
IMAGE ?= ghcr.io/infra-arch/zmy-scaler:$(VERSION)
CREATED ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
IMAGE_ENV = GO="$(GO)" IMAGE="$(IMAGE)" VERSION="$(VERSION)" COMMIT="$(COMMIT)" CREATED="$(CREATED)"

# How long `make demo` runs; until Ctrl-C when empty.
FOR ?=
# How long each fuzz target and each benchmark runs.
FUZZTIME ?= 20s
BENCHTIME ?= 1s
# The share of the statements of pkg/ and internal/ that tests must reach.
MIN_COVERAGE ?= 85

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/scaler
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/scaler ./cmd/scaler

.PHONY: image
image: ## An OCI image for amd64 and arm64 in bin/image, with SBOMs; needs no container engine
	$(IMAGE_ENV) hack/image.sh

.PHONY: push-image
push-image: ## The same, pushed to where IMAGE says
	$(IMAGE_ENV) hack/image.sh -push

.PHONY: demo
demo: ## Show the whole loop on this machine; FOR=2m stops by itself
	$(GO) run ./cmd/scaler demo $(if $(FOR),--for $(FOR))

##@ Test

.PHONY: test
test: ## All tests with the race detector, and the coverage of pkg/ and internal/
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 10m -covermode=atomic -coverprofile=coverage.out \
	  -coverpkg=./pkg/...,./internal/... ./pkg/... ./internal/... ./cmd/...
	hack/coverage.sh coverage.out $(MIN_COVERAGE)

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) hack/fuzz.sh ./pkg/... ./internal/...

.PHONY: bench
bench: ## What a decision costs, and an answer beside an empty gRPC server
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./pkg/decision ./internal/grpcserver

.PHONY: bench-plane
bench-plane: ## The scaler beside KEDA's own Prometheus scaler: goals, and docs/performance.md; a quarter of an hour of both cores
	cd e2e/keda && $(E2E_TEST) -v -timeout 40m ./bench/... -args -write

.PHONY: bench-tune
bench-tune: ## What tune recommends on recorded demand, judged on the half it has not seen; takes minutes
	$(GO) run ./hack/tunebench

.PHONY: bench-speed
bench-speed: ## How long a replay of 30 days takes, and tuning on two weeks with 500 policies; takes a minute or two
	$(GO) test -run '^$$' -bench 'Month|TwoWeeks' -benchtime 1x ./internal/simulate ./internal/tune

.PHONY: test-keda
test-keda: ## KEDA's own client drives the built binary
	cd e2e/keda && $(E2E_TEST) -timeout 20m ./client/...

.PHONY: smoke
smoke: ## A real Prometheus, real exporters, the built binary and KEDA's own client
	cd e2e/keda && $(E2E_TEST) -v -timeout 20m ./smoke/...

.PHONY: test-hpa
test-hpa: ## The HPA's own calculator and controller against our models of them, on random cases
	cd e2e/hpa && $(E2E_GO) test -count=1 -timeout 10m ./...

.PHONY: test-chart
test-chart: ## The chart's pods, configuration and admission policy, judged by Kubernetes' own code and the scaler's
	cd e2e/chart && $(E2E_GO) test -count=1 -timeout 20m ./...

.PHONY: e2e-unit
e2e-unit: ## The unit tests of what the scenarios stand on
	cd e2e && $(E2E_TEST) -timeout 10m $$($(E2E_GO) list ./... | grep -vE '/scenarios(/|$$)|/cluster/node/up$$')

.PHONY: e2e-tools
e2e-tools: ## Build Kubernetes, KEDA and the like for the scenarios, where the cache lacks them
	cd e2e && $(E2E_GO) run ./tools/build

.PHONY: e2e-cluster
# One after the other: two control planes at a time are too much for two cores.
e2e-cluster: e2e-tools ## Scenarios on a real control plane with KEDA; the first run builds it all
	cd e2e && $(E2E_TEST) -timeout 20m ./scenarios
	cd e2e && $(E2E_TEST) -timeout 20m ./scenarios/defaults

.PHONY: e2e-node
e2e-node: e2e-tools ## A real node with KEDA, and the released chart and image on it; says so where there can be none
	cd e2e && $(E2E_TEST) -v -p 1 -timeout 60m ./cluster/node/... ./incluster/scenarios

.PHONY: test-page
test-page: ## The page in a real Chromium, with a thousand triggers
	cd e2e/page && $(E2E_TEST) -v -timeout 10m ./...

.PHONY: update-picture
update-picture: ## Take the picture of the page that the README shows
	cd e2e/page && $(E2E_TEST) -timeout 10m ./... -picture $(CURDIR)/docs/img/page.png

.PHONY: e2e-kind
e2e-kind: ## The released chart and image on a cluster that kind makes and deletes; needs Docker or Podman
	GO="$(GO)" hack/e2e-kind.sh

# Nothing is compiled beside what is timed, and what shares packages one after the
# other: KEDA's client after KEDA, what uses Kubernetes' own code after Kubernetes.
.PHONY: e2e-build
e2e-build: e2e-build-others e2e-build-node ## Compile all that e2e runs, where the cache lacks it
	for module in e2e/keda e2e/chart e2e/hpa; do (cd $$module && $(E2E_COMPILE)); done

.PHONY: e2e-build-node
e2e-build-node:
	cd e2e && $(E2E_GO) run ./tools/build -node >/dev/null

E2E_COMPILE = $(E2E_GO) list -export -deps -test -f '{{""}}' ./... >/dev/null
.PHONY: e2e-build-others
e2e-build-others:
	$(E2E_GO) build -trimpath -buildvcs=false -o /dev/null ./cmd/scaler # as the tests build it
	for module in e2e e2e/page image; do (cd $$module && $(E2E_COMPILE)); done
	$(E2E_GO) tool -modfile=tools/helm/go.mod -n helm >/dev/null

.PHONY: e2e
e2e: ## All of these, side by side as they mostly wait
	$(MAKE) --no-print-directory -j2 e2e-build
	hack/e2e.sh "e2e-cluster" "test-page e2e-node" "smoke test-keda test-hpa test-chart e2e-unit"

##@ Keep in order

.PHONY: verify
verify: verify-format verify-lint verify-tidy verify-proto verify-docs verify-names verify-chart ## All checks below; they change nothing

.PHONY: update
update: update-format update-tidy update-proto update-docs update-chart ## All updates below

.PHONY: verify-format
verify-format: ## Is the code formatted?
	@files=$$($(FUMPT) -l .); if [[ -n $$files ]]; then \
	  echo "not formatted, run make update-format:"; echo "$$files"; exit 1; fi

.PHONY: update-format
update-format: ## Format the code
	$(FUMPT) -w .

.PHONY: verify-lint lint
# Two small modules hang on much of Kubernetes, whose types take minutes to read:
# there the linters that need no types must do.
# Without cgo they find compiled what the programs and make e2e are compiled from.
verify-lint: export CGO_ENABLED = 0
verify-lint: ## Do the linters agree?
	@for mod in . image e2e e2e/page e2e/keda; do \
	  echo "golangci-lint in $$mod"; (cd $$mod && $(LINT) run ./...); done
	@for mod in e2e/hpa e2e/chart; do \
	  echo "golangci-lint, the fast half, in $$mod"; (cd $$mod && $(LINT) run --fast-only ./...); done
lint: verify-lint

.PHONY: verify-tidy
verify-tidy: ## Are go.mod and go.sum tidy in every module?
	@for mod in $(MODULES); do \
	  echo "go mod tidy -diff in $$mod"; \
	  (cd $$mod && $(GO) mod tidy -diff) || { echo "not tidy, run make update-tidy"; exit 1; }; \
	done

.PHONY: update-tidy
update-tidy: ## Tidy every module
	@for mod in $(MODULES); do echo "go mod tidy in $$mod"; (cd $$mod && $(GO) mod tidy); done

.PHONY: verify-proto
verify-proto: ## Is proto/ well-formed, and the code generated from it current?
	@cd proto && $(BUF) lint && $(BUF) format -d --exit-code
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; (cd proto && $(BUF) generate -o "$$out"); \
	cd "$$out" && find . -type f | while read -r f; do \
	  diff -u "$(CURDIR)/proto/$$f" "$$f" || { echo "proto/$$f is out of date, run make update-proto"; exit 1; }; done

.PHONY: update-proto
update-proto: ## Write the code generated from proto/
	cd proto && $(BUF) format -w && $(BUF) generate

.PHONY: verify-docs
verify-docs: ## Are the generated documents and manifests current?
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; \
	$(GO) run ./internal/docgen -out "$$out"; \
	cd "$$out" && find . -type f | while read -r f; do \
	  diff -u "$(CURDIR)/$$f" "$$f" || { echo "$$f is out of date, run make update-docs"; exit 1; }; done

.PHONY: update-docs
update-docs: ## Write the generated documents and manifests
	$(GO) run ./internal/docgen -out .

.PHONY: verify-names
verify-names: ## Do the documents name only what exists: files, targets, keys, reasons, metrics, flags?
	$(GO) run ./internal/docgen -check .

.PHONY: verify-chart
verify-chart: ## Is the chart whole: generated files, helm lint, schemas, unit tests?
	GO="$(GO)" hack/chart.sh

.PHONY: verify-image
verify-image: ## Does the image's builder work, and give the same image twice?
	cd image && $(GO) test -count=1 ./...
	$(IMAGE_ENV) hack/verify-image.sh

.PHONY: update-chart
update-chart: ## Write the generated files of the chart
	$(GO) run ./hack/chartgen -out .
