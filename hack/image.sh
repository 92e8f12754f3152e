#!/usr/bin/env bash
# Builds the image for PLATFORMS into OUT. Everything that could differ from one
# machine to the next is fixed here: with the same Go and the same VERSION, COMMIT
# and CREATED, the digest is the same. Further arguments go to the image builder.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
out=$(realpath -m "${OUT:-bin/image}")
: "${IMAGE:?}" "${VERSION:?}" "${COMMIT:?}" "${CREATED:?}"
unset GOFLAGS GOEXPERIMENT

binaries=()
for platform in ${PLATFORMS:-linux/amd64 linux/arm64}; do
  file=$out/${platform/\//-}/scaler
  CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} GOAMD64=v1 GOARM64=v8.0 "$go" build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o "$file" ./cmd/scaler
  binaries+=("$platform=$file")
done
cd image
"$go" run . -ref "$IMAGE" -version "$VERSION" -revision "$COMMIT" -created "$CREATED" -out "$out" "$@" "${binaries[@]}"
