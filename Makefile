# What people and CI run. `make` lists the targets. All that a target needs it sets up
# itself: uv and the programs of the control plane under ~/.cache, packages in .venv.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/countersign
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
ENV := .venv/.synced
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"
# Every branch of the law is run by some of these; to look costs them as much again.
LAW := tests/unit/core tests/unit/usecases tests/unit/report \
  tests/unit/binding/test_injection.py tests/unit/wire/test_resources_policy.py \
  tests/unit/faces/cli/test_cli_explain.py
LOOK := --cov=countersign.core --cov-branch --cov-fail-under=100 --cov-report=
# What tests make images and their signatures with, and keep them in.
IMAGES := crane crane-registry registry cosign

E2E_IMAGE = $(or $(IMAGE),countersign:0.1.0)

# What applies what is in a git repository, as Argo CD and Flux do.
GITOPS := argocd-sync kustomize-controller

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 13

.PHONY: demo
demo: $(ENV) ## the main job, end to end, on a real control plane; leaves nothing behind
	@$(RUN) python -m tools.stack demo

.PHONY: up
up: $(ENV) ## the demo's stack, left running: see .run/
	@$(RUN) python -m tools.stack up

.PHONY: down
down: $(ENV) ## stops what `make up` started
	@$(RUN) python -m tools.stack down

.PHONY: test
test: $(ENV) ## all tests; PYTEST='-k webhook' for some
	@$(RUN) python -m tools.controlplane ensure
	@$(RUN) python -m tools.controlplane ensure helm3 $(IMAGES) $(GITOPS) tofu actionlint
	$(if $(PYTEST),,$(RUN) pytest -n 2 $(LOOK) $(LAW))
	$(RUN) pytest -n 2 $(or $(PYTEST),$(LAW:%=--ignore=%))

.PHONY: test-matrix
test-matrix: $(ENV) ## tests on a real server, whole sweeps, each minor; MINORS='1.34'
	@$(RUN) python -m tools.matrix $(if $(MINORS),--minors "$(MINORS)") $(PYTEST)

.PHONY: mutants
mutants: $(ENV) ## wrong versions of the law and of binding; MUTANTS='--each 3 --quick' for some
	@$(RUN) python -m tests.mutation $(MUTANTS)

.PHONY: bench
bench: $(ENV) ## what a review costs, beside an empty webhook: a table, bench/results.json
	@$(RUN) python -m tools.controlplane ensure
	@$(RUN) python -m tests.bench $(BENCH)

.PHONY: check
check: $(ENV) ## format, lints, types, import contracts, generated files, dead links
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) deptry controller
	$(RUN) python -m tools.gen --check
	$(RUN) python -m tools.doclinks

.PHONY: fix
fix: $(ENV) ## formats, and mends what lints can mend
	$(RUN) ruff format
	$(RUN) ruff check --fix

.PHONY: wheelhouse
wheelhouse: $(ENV) ## what the image is made of, checked by hash; ARCH='amd64' for one
	@UV=$(UV) $(RUN) python -m tools.wheelhouse $(ARCH)

.PHONY: image
image: wheelhouse ## the image, by docker; IMAGE=name:tag, DOCKER='docker buildx build --platform …'
	$(or $(DOCKER),docker build) -t $(or $(IMAGE),countersign:0.1.0) .

.PHONY: kind-up
kind-up: $(ENV) ## a kind cluster of three nodes, to try a release on; NODE_IMAGE=name:tag
	$(RUN) countersign static-admission --out dist/kind/admission \
	  --at /etc/kubernetes/countersign --installer-group kubeadm:cluster-admins
	kind create cluster --config kind-config.yaml --kubeconfig dist/kind/kubeconfig \
	  --wait 180s $(if $(NODE_IMAGE),--image $(NODE_IMAGE))

.PHONY: kind-e2e
kind-e2e: image ## builds the image, and tests a release of it there: see docs/kind.md
	@$(MAKE) --no-print-directory e2e KUBECONFIG=dist/kind/kubeconfig \
	  IMAGE_LOAD='kind load image-archive {archive} --name countersign'

.PHONY: kind-down
kind-down: ## deletes that cluster
	kind delete cluster --name countersign --kubeconfig dist/kind/kubeconfig

.PHONY: e2e
e2e: $(ENV) ## the same on any cluster: KUBECONFIG=… IMAGE=… IMAGE_LOAD='command {archive}'
	$(if $(filter command,$(firstword $(origin KUBECONFIG))),,\
	  $(error expected the cluster by name: make e2e KUBECONFIG=FILE))
	$(if $(IMAGE_LOAD),mkdir -p dist && docker save -o dist/image.tar $(E2E_IMAGE))
	$(subst {archive},dist/image.tar,$(IMAGE_LOAD))
	COUNTERSIGN_E2E_KUBECONFIG="$(KUBECONFIG)" COUNTERSIGN_E2E_IMAGE="$(E2E_IMAGE)" \
	  $(RUN) pytest tests/e2e -v $(E2E)

.PHONY: gen
gen: $(ENV) ## writes the generated files anew
	$(RUN) python -m tools.gen

.PHONY: clean
clean: ## removes what the other targets made here; not the cache of this machine
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist .coverage*

$(ENV): pyproject.toml uv.lock | $(UV)
	@echo "setting up .venv"
	@$(UV) sync --frozen --quiet
	@touch $@

$(CACHE)/uv/bin/uv:
	@echo "installing uv, once on this machine"
	@python3 -m venv $(CACHE)/uv
	@$(CACHE)/uv/bin/pip install --quiet --disable-pip-version-check uv
