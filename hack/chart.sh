#!/usr/bin/env bash
# Checks the Helm chart: what is generated is current; helm lint, and Kubernetes'
# and KEDA's schemas, on the defaults and every file in ci/; the unit tests.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
# As in make e2e, which then finds helm built.
export CGO_ENABLED=0
chart=charts/zmy-scaler
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tool() { "$go" tool -modfile="tools/$1/go.mod" -n "$1"; }

echo "the generated files"
"$go" run ./hack/chartgen -out "$work/generated"
(cd "$work/generated" && find . -type f) | while read -r f; do
  diff -u "$f" "$work/generated/$f" || { echo "$f is out of date, run make update-chart"; exit 1; }
done

echo "helm, helm-unittest and kubeconform; building them takes some minutes the first time"
helm=$(tool helm)
unittest=$(tool helm-unittest)
kubeconform=$(tool kubeconform)

"$go" run ./hack/chartschemas -out "$work/schemas" \
  -swagger "$(cd e2e/hpa && "$go" list -m -f '{{.Dir}}' k8s.io/kubernetes)/api/openapi-spec/swagger.json" \
  -crds "$("$go" list -m -f '{{.Dir}}' github.com/kedacore/keda/v2)/config/crd/bases"

for values in /dev/null "$chart"/ci/*-values.yaml; do
  echo "values: ${values##*/}"
  "$helm" lint --quiet --strict "$chart" -f "$values"
  "$helm" template zmy-scaler "$chart" --namespace zmy-system -f "$values" >"$work/out.yaml"
  # cert-manager and the Prometheus operator publish no schema as a Go module.
  "$kubeconform" -strict -summary -schema-location "$work/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" \
    -skip Certificate,ClusterIssuer,ServiceMonitor "$work/out.yaml"
done

echo "unit tests"
"$unittest" --strict --color=false "$chart"
