#!/usr/bin/env bash
# Prints the statement coverage of a profile and fails when it is below a minimum.
# Usage: hack/coverage.sh PROFILE PERCENT
set -euo pipefail

go tool cover -func="$1" | awk -v min="$2" '
  $1 == "total:" { total = $3; sub("%", "", total); found = 1 }
  END {
    if (!found) { print "coverage: no total in the profile"; exit 1 }
    printf "coverage of pkg/ and internal/: %.1f %% of statements, at least %s %% wanted\n", total, min
    exit total + 0 < min + 0
  }'
