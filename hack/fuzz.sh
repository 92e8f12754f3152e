#!/usr/bin/env bash
# Runs every fuzz target of the given packages, each for FUZZTIME.
# Usage: FUZZTIME=20s hack/fuzz.sh ./pkg/... ./internal/...
set -euo pipefail

# `go test -list` prints a package's targets and then "ok  package  time".
targets=$(go test -list '^Fuzz' "$@" | awk '/^Fuzz/ { names[n++] = $1 }
  $1 == "ok" { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
if [[ -z $targets ]]; then
  echo "no fuzz target found in $*" >&2
  exit 1
fi
# Every new input is made smaller before the next is tried, by default for up to a
# minute: against a real engine that would be all there is time for.
while read -r package target; do
  echo "== $target of $package for ${FUZZTIME:=20s}"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x "$package" </dev/null
done <<<"$targets"
echo "$(wc -l <<<"$targets") fuzz targets found nothing"
