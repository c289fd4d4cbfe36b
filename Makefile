# Everything is made in .venv; nothing is installed elsewhere. `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
# Our protos, and where the tool servers' stubs go; `make gen PROTOS=… OUT=…` serves any other tree.
PROTOS ?= protos
OUT ?= gen/python
export PROMPT ?= 北京、上海和广州今天天气怎么样?

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed gen/.made ## Make .venv, install the broker and its tools, generate stubs

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.12 …")'
	@echo "setup: installing into .venv (about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable .
	@touch $@

SITE = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# buf/validate/validate.proto comes from protovalidate's package, which has it compiled only.
VALIDATE = gen/validate.binpb
PROTOC = $(BIN)/python -m grpc_tools.protoc --descriptor_set_in=$(VALIDATE)
# The broker's own protos are generated into the package. Of them only the annotations stand beside the stubs that import
# them, for servers that run without the broker; a folder without __init__.py gives way to the package where that is installed.
USER_PROTOS = $(shell find $(PROTOS) -name '*.proto' -not -path '*/broker/v1/*' | sort)
BROKER_PROTOS = protos/broker/v1/annotations.proto protos/broker/v1/broker.proto

$(VALIDATE): .venv/.installed
	@$(BIN)/python -m tool_servers.validate_protoset $@

.PHONY: gen
gen: gen-python ## Generate stubs of PROTOS into OUT (default: the tool servers', each in its own language too)
ifeq ($(PROTOS) $(OUT),protos gen/python)
	+@bash tool_servers/servers.sh gen
endif

.PHONY: gen-python
gen-python: $(VALIDATE)
	@mkdir -p $(OUT)
	@$(PROTOC) -I $(PROTOS) -I protos -I "$(SITE)" --python_out=$(OUT) --pyi_out=$(OUT) --grpc_python_out=$(OUT) \
	  --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc --mypy_grpc_out=quiet:$(OUT) $(USER_PROTOS)
	@$(PROTOC) -I protos --python_out=$(OUT) --pyi_out=$(OUT) buf/validate/validate.proto broker/v1/annotations.proto
	@$(PROTOC) -I $(PROTOS) -I protos -I "$(SITE)" --include_source_info --descriptor_set_out=$(OUT)/descriptors.binpb $(USER_PROTOS)
	@echo "gen: $(words $(USER_PROTOS)) file(s) of $(PROTOS) into $(OUT)"

gen/.made: .venv/.installed $(shell find protos -name '*.proto')
	@$(MAKE) --no-print-directory gen-python
	@touch $@

# $(1): the folder to generate the broker's own code into
define gen-broker
$(PROTOC) -I protos -I "$(SITE)" --python_out=$(1) --pyi_out=$(1) $(BROKER_PROTOS)
$(PROTOC) -I protos -I "$(SITE)" --grpc_python_out=$(1) --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
  --mypy_grpc_out=quiet:$(1) protos/broker/v1/broker.proto
endef

.PHONY: gen-broker
gen-broker: $(VALIDATE) ## Generate broker/v1, which is committed, from protos/broker/v1
	@$(call gen-broker,.)

.PHONY: check-gen
check-gen: $(VALIDATE) ## Fail when broker/v1 is not what its protos generate
	@rm -rf gen/check && mkdir -p gen/check
	@$(call gen-broker,gen/check)
	@diff -r -x __init__.py -x __pycache__ -x '*.proto' gen/check/broker/v1 broker/v1 \
	  || { echo 'check-gen: broker/v1 is stale: run `make gen-broker` and commit it'; exit 1; }
	@echo "check-gen: broker/v1 is up to date"

.PHONY: lint-protos
lint-protos: $(VALIDATE) ## Lint the protos with buf
	@mkdir -p gen
	@$(PROTOC) -I protos -I "$(SITE)" --include_imports --include_source_info --descriptor_set_out=gen/image.binpb \
	  $(shell find protos -name '*.proto' | sort)
	@$(BIN)/buf lint gen/image.binpb --config protos/buf.yaml
	@echo "lint-protos: clean"

.PHONY: format
format: .venv/.installed ## Format the code, mend what can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

.PHONY: lint
lint: .venv/.installed ## Check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: setup ## Check types, strictly
	@$(BIN)/mypy

.PHONY: layers
layers: .venv/.installed ## Check that each module imports only from the layers below it
	@$(BIN)/lint-imports

.PHONY: test
test: setup lint types layers check-gen lint-protos test-servers cover ## Everything that CI runs

.PHONY: cover
cover: build-servers ## Run the tests with branch coverage (floor: 95 %)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --quiet -rs --numprocesses=logical --dist=worksteal
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: bench
bench: setup ## Measure side by side with raw gRPC and json_format
	@PYTHONPATH=gen/python $(BIN)/python -m benchmarks

.PHONY: bench-search
bench-search: setup ## Measure how often the search finds the right one of 13,000 methods
	@PYTHONPATH=gen/python $(BIN)/python -m benchmarks.search

.PHONY: corpora
corpora: setup ## Install protos of the world (110 MB), for `make test-corpora`, `make bench` and `make bench-search`
	@mkdir -p gen/corpora && cp benchmarks/corpora/package.json benchmarks/corpora/package-lock.json gen/corpora
	@cd gen/corpora && npm ci --ignore-scripts --no-audit --no-fund
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group corpora
	@$(BIN)/python -m tests.corpora.install

.PHONY: test-corpora
test-corpora: setup ## Prove what must hold of every method over all protos of `make corpora` (RECORD=1: keep the sizes)
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.corpora.run $(if $(RECORD),--record)

.PHONY: conformance
conformance: setup ## Run protobuf's own conformance suite through decode and encode (its runner comes from npm)
	@$(BIN)/python -m tests.conformance.run

.PHONY: fuzz
fuzz: setup ## Feed decode with mutated text for a minute (skipped where there is no atheris for the platform)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group fuzz \
	  || echo "fuzz: atheris cannot be installed here"
	@$(BIN)/python -m tests.schema.fuzz

.PHONY: demo
demo: setup ## Answer PROMPT with the weather tool server (and your model, when OPENAI_API_KEY is set)
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=gen/python bash tool_servers/demo.sh "$$PROMPT"

.PHONY: servers
servers: build-servers ## Start all tool servers that this machine has toolchains for, till Ctrl-C
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=gen/python exec bash tool_servers/servers.sh start

.PHONY: build-servers
build-servers: setup ## Build the tool servers in Go, TypeScript and Java, where there are toolchains
	+@bash tool_servers/servers.sh build

.PHONY: test-servers
test-servers: build-servers ## Lint and test them in their own languages
	+@bash tool_servers/servers.sh test

.PHONY: clean
clean: ## Remove everything that was made
	@rm -rf .venv gen dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@for made in tool_servers/*/Makefile; do $(MAKE) --no-print-directory -C "$${made%/*}" clean; done
