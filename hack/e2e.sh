#!/usr/bin/env bash
# Runs make targets in lanes, side by side, because most of them wait most of the
# time. Each argument is a lane: targets that run one after the other. The first lane
# is the one to which delays matter most: each of the others gives way to those before
# it. Prints what they print, with the target before it, and at the end how long each
# took, what failed and what was not run. An interrupt ends all of them in order.
# Usage: hack/e2e.sh 'TARGET...' ['TARGET...'...]
set -euo pipefail

# Whatever is interrupted half-way leaves its files here; what ZMY_E2E_KEEP keeps is
# here as well.
work=$(mktemp -d "${TMPDIR:-/tmp}/e2e.XXXXXX")
trap '[[ -n ${ZMY_E2E_KEEP:-} ]] || rm -rf "$work"' EXIT
export TMPDIR=$work
times=$work/times

# An interrupt reaches all processes of a lane. What prints goes on until the others
# have ended, and no other target begins.
# lane NICENESS 'TARGET...'
lane() {
  local target began verdict failed=0 interrupted=
  trap 'interrupted=1' INT TERM
  for target in $2; do
    [[ -z $interrupted ]] || return 1
    began=$SECONDS verdict=ok
    nice -n "$1" "${MAKE:-make}" --no-print-directory "$target" 2>&1 |
      (trap '' INT TERM; tee "$work/$target.log" | sed -u "s/^/$target | /") || { verdict=FAILED failed=1; }
    printf '%-12s %-6s %4d s\n' "$target" "$verdict" $((SECONDS - began)) | tee -a "$times"
  done
  return $failed
}

# With job control each lane is a process group, which a signal reaches as a whole.
set -m
lanes=()
for targets in "$@"; do
  (set +m; lane $((5 * ${#lanes[@]})) "$targets") &
  lanes+=($!)
done

stop() {
  trap '' INT TERM
  echo "interrupted: waiting for everything to end" >&2
  # What a shell starts in the background may ignore INT, but not TERM.
  for pid in "${lanes[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  wait
  exit 130
}
trap stop INT TERM

failed=0
for pid in "${lanes[@]}"; do wait "$pid" || failed=1; done
printf '\n%d min %02d s in all:\n' $((SECONDS / 60)) $((SECONDS % 60))
cat "$times"
# What failed stands far above, between what the others printed.
for target in $(awk '$2 == "FAILED" { print $1 }' "$times"); do
  printf '\n%s failed:\n' "$target"
  grep -E '^ *--- FAIL|^FAIL|_test\.go:[0-9]+: |^panic:|^make(\[[0-9]+\])?: ' "$work/$target.log" | tail -n 20 || tail -n 20 "$work/$target.log"
done
# Nor may it be missed that something was not run, though nothing failed.
if gaps=$(cd "$work" && grep -F '!!!! NOT RUN' -- *.log /dev/null); then
  printf '\n%s\n' "${gaps//.log:/ | }"
fi
exit $failed
