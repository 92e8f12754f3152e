#!/usr/bin/env bash
# Builds the image here, and again from a copy of the sources in another directory
# under another umask, time zone and language. Both must have the same digest.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard -- go.mod go.sum cmd internal pkg proto image hack |
  xargs -0 cp --parents --target-directory="$copy"

OUT=$copy/first hack/image.sh
(umask 077; TZ=Asia/Tokyo LC_ALL=C OUT=$copy/second "$copy/hack/image.sh")
cmp "$copy/first/digest" "$copy/second/digest"
cmp "$copy/first/zmy-scaler.tar" "$copy/second/zmy-scaler.tar"
for sbom in "$copy"/first/*.spdx.json; do cmp "$sbom" "$copy/second/${sbom##*/}"; done
echo "the same image twice"
