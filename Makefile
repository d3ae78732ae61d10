SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# the packages with the library's tests, but for those of its internal packages
TESTS := . ./internal/tests/...

STRESS ?= .
SOAK ?= .
COUNT ?= 50
CONTENTION ?= 5s
FUZZTIME ?= 20s
BENCH ?= .
ROUNDS ?= 3
OUT ?= bench.json
TIME ?= 5m
SEED ?= 0
MUTATE ?= pool.go stop.go restart.go cycle.go calls.go timeout.go locks.go job_channel.go execution.go outcome.go ready.go \
	health.go onstatus.go runnow.go shutdown.go internal/handover/handover.go \
	internal/stopchan/stopchan.go internal/stopchan/channel.go internal/stopchan/offering.go

.PHONY: help run test race stress contention soak lint bench microbench fuzz cover mutants perturb ci

help: ## list the targets
	@while IFS= read -r line; do \
		if [[ $$line =~ ^([a-z]+):\ ##\ (.*) ]]; then printf '%-11s%s\n' "$${BASH_REMATCH[1]}" "$${BASH_REMATCH[2]}"; fi; \
	done < $(firstword $(MAKEFILE_LIST))

run: ## the example agent (Ctrl-C ends it)
	go run ./examples/agent

test: ## the tests
	go test ./...

race: ## the tests under the race detector, in random order
	go test -race -shuffle=on ./...

stress: ## the library's tests over and over: COUNT=50, STRESS=. (a -run pattern)
	go test -race -count=$(COUNT) -shuffle=on -timeout=2h -run='$(STRESS)' $(TESTS)

contention: ## in real time, with more threads than processors and busy processes beside: CONTENTION=5s for each test
	for race in '' -race; do \
		go test $$race -p=1 -cpu=1,2,8 -timeout=6h -run='^Test(Contention|Stress)' . ./internal/tests/stress -contention=$(CONTENTION) || exit 1; \
	done

soak: ## the tests that can last, at length: SOAK=. (a -run pattern); then make contention for 20 minutes
	go test -timeout=6h -run='$(SOAK)' $(TESTS) ./internal/stopchan -soak
	$(MAKE) contention CONTENTION=1m

lint: ## gofmt, go vet, staticcheck, go mod tidy; golangci-lint where it is installed
	bash .ci/run lint
	if command -v golangci-lint > /dev/null; then golangci-lint run ./...; fi

bench: ## the library beside its peers, in ten minutes: ROUNDS=3, OUT=bench.json (in benchmarks/), BEFORE=commit
	go -C benchmarks run . -rounds=$(ROUNDS) -out='$(OUT)' $(if $(BEFORE),-before='$(BEFORE)')

microbench: ## the library's own benchmarks, summed up by benchstat: BENCH=. (a -bench pattern)
	go test -run='^$$' -bench='$(BENCH)' -benchmem -count=10 . ./schedule | tee bench.txt
	go tool -modfile=tools/go.mod benchstat bench.txt

fuzz: ## each fuzz target for FUZZTIME=20s
	@for package in $$(go list ./...); do \
		targets=$$(go test -list='^Fuzz' $$package); \
		for target in $$(grep '^Fuzz' <<< "$$targets" || true); do \
			echo "go test -run='^$$' -fuzz='^$$target\$$' -fuzztime=$(FUZZTIME) $$package"; \
			go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) $$package; \
		done; \
	done

cover: ## what share of the library its tests execute
	library=$$(go list -deps . | grep "^$$(go list -m)" | paste -sd,); \
		go test -coverpkg="$$library" -coverprofile=cover.out $$(go list ./... | grep -v /examples/)
	go tool cover -func=cover.out | tail -n 1

mutants: ## lists mistakes that no test would notice: MUTATE='locks.go cycle.go'; hours for all of them
	ulimit -v 33554432; for dir in $(sort $(dir $(MUTATE))); do \
		files=$$(for file in $(MUTATE); do if [ "$$(dirname $$file)/" = "$$dir" ]; then basename $$file; fi; done); \
		nice -n 19 go -C mutants run . -root "../$$dir" $$files; \
	done

perturb: ## the tests on a copy in which goroutines are late: TIME=5m, SEED=0 (of the round that is repeated)
	go -C perturb run . -root .. -time=$(TIME) -seed=$(SEED)

ci: ## what must hold before a change is merged
	bash .ci/run
