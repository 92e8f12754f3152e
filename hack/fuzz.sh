#!/usr/bin/env bash
# Runs every fuzz target of the given packages, each for FUZZTIME.
# Usage: FUZZTIME=20s hack/fuzz.sh ./pkg/... ./internal/...
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# `go test -list` prints a package's targets and then "ok  package  time".
targets=$(go test -list '^Fuzz' "$@" | awk '/^Fuzz/ { names[n++] = $1 }
  $1 == "ok" { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
if [[ -z $targets ]]; then
  echo "no fuzz target found in $*" >&2
  exit 1
fi

# ended reports whether the log is of a run that failed for no other reason than that
# its time was over, which Go before 1.27 sometimes takes for a failure:
# https://go.dev/issue/75804
ended() {
  grep -qE '^ +context deadline exceeded$' "$log" &&
    ! grep -qE '_test\.go:[0-9]+:|Failing input|^panic:|^fatal error:|DATA RACE|hung or terminated' "$log"
}

# Every new input is made smaller before the next is tried, by default for up to a
# minute: against a real engine that would be all there is time for.
while read -r package target; do
  echo "== $target of $package for ${FUZZTIME:=20s}"
  if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x "$package" </dev/null 2>&1 | tee "$log"; then
    ended || exit 1
    echo "its time was over: that is no failure"
  fi
done <<<"$targets"
echo "$(wc -l <<<"$targets") fuzz targets found nothing"
