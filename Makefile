# The commands of CONTRIBUTING.md, which says what each does. A test keeps
# the two equal.
.PHONY: test race lint ci full bench peers fuzz script home release

# All packages: ./... leaves out those below testdata.
PACKAGES = ./... ./testdata/peers/... ./testdata/forgetful ./testdata/replaced ./ipc/testdata/identity

# Without the code of urfave/cli that generates documentation, which nothing here
# uses and every worker would initialise.
export GOFLAGS += -tags=urfave_cli_no_docs

# The script of testdata/script that make script runs.
NAME = digits

test:
	go test ./...
race:
	go test -race ./...
lint:
	gofmt -d . && go vet $(PACKAGES) && go tool -modfile=tools/tools.mod staticcheck $(PACKAGES)
ci:
	bash .ci/run
full:
	bash .ci/full
bench:
	go test -run xxx -bench . -benchmem ./...
peers:
	go run ./testdata/peers/bench
fuzz:
	go test ./ipc -fuzz FuzzReader
script:
	go test . -run TestScript/$(NAME)
home:
	go run ./tools/home $(MODULE)
release:
	go run ./tools/release
