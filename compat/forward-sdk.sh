#!/usr/bin/env bash
# Forwards a version of the agent SDK to this library, in a temporary copy, and builds and vets all of it:
#
#     bash compat/forward-sdk.sh v1.1.99    # without a version: the latest
#
# Needs Go and a module proxy that serves github.com/Axway/agent-sdk and what it requires.
set -euo pipefail
library=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sdk=github.com/Axway/agent-sdk
version=${1:-latest}

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
step() { printf '\n=== %s\n' "$*"; }

step "download $sdk@$version"
cd "$scratch"
if ! found=$(go mod download -json "$sdk@$version"); then
	printf '%s\n' "$found" >&2
	exit 1
fi
source=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<< "$found")
cp -R "$source" copy
chmod -R u+w copy
go -C "$library" build -o "$scratch/jobsforward" ./cmd/jobsforward

cd copy
go mod edit -require=github.com/agentjobs/jobs@v0.0.0 -replace=github.com/agentjobs/jobs="$library"
export GOFLAGS=-mod=mod
users() { # the packages whose code or tests import pkg/jobs
	go list -e -f '{{$p := .ImportPath}}{{range .Imports}}{{if eq . "'$sdk/pkg/jobs'"}}{{$p}}
{{end}}{{end}}{{range .TestImports}}{{if eq . "'$sdk/pkg/jobs'"}}{{$p}}
{{end}}{{end}}{{range .XTestImports}}{{if eq . "'$sdk/pkg/jobs'"}}{{$p}}
{{end}}{{end}}' ./... | sed '/^$/d' | sort -u
}

step 'as it is'
go build ./...
# shellcheck disable=SC2046 # one package a word
go vet $(users)

step 'forwarded'
"$scratch/jobsforward" pkg/jobs
go build ./...
users | tee "$scratch/users"
# shellcheck disable=SC2046
go vet $(cat "$scratch/users")

step 'restored'
"$scratch/jobsforward" -undo pkg/jobs
diff -r "$source/pkg/jobs" pkg/jobs
step "$(wc -l < "$scratch/users") packages use the forwarded one"
