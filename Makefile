# One word each for what a user or developer does here. `make` alone lists them.

# The Node 24 among the npm packages goes before the machine's own, which may be older.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# Where the targets that test leave vitest's report as JSON, if anywhere.
REPORT ?=
REPORTERS = $(if $(REPORT),--reporter=default --reporter=json --outputFile.json=$(REPORT))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up down test test-openstack check bench soak clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

up: ## start the daemon, build the practice network, connect through a first forward
	@scripts/bootstrap.sh run
	@node scripts/up.ts

down: ## stop that daemon, and remove every trace of it and of the practice network
	@scripts/bootstrap.sh run
	@node scripts/down.ts

test: ## install what is missing, check the sources, run the tests
	@scripts/bootstrap.sh test
	@npm run --silent check
	@npm run --silent test -- $(REPORTERS)

test-openstack: ## install OpenStack's services, run the tests against real ones
	@scripts/bootstrap.sh openstack
	@npm run --silent test:openstack -- $(REPORTERS)

check: ## types, format and lint
	@scripts/bootstrap.sh check
	@npm run --silent check

bench: ## measure against the baselines
	@scripts/bootstrap.sh test
	@npm run --silent bench

soak: ## a night of random changes to the daemon, and of random firewalls for its doctor
	@scripts/bootstrap.sh test
	@FIREWALL_RUNS=500 npm run --silent test -- --project=kernel test/kernel/random-firewalls.test.ts
	@npm run --silent bench -- soak

clean: ## remove what was installed into the checkout
	@rm -rf node_modules
