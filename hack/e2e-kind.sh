#!/usr/bin/env bash
# Makes a cluster with kind, installs KEDA on it, runs the scenarios with real pods
# there and deletes the cluster, also when a part fails or the script is stopped.
# Needs Docker or Podman, and their access to the registries of kind's node image
# and of KEDA's. All else is built, in the versions that go.mod files pin. KIND_LOGS
# names a directory for the logs of a cluster on which something has failed.
# Usage: hack/e2e-kind.sh [PACKAGE...]   packages of the module e2e
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
go=${GO:-go}
if (($# == 0)); then set -- ./incluster/scenarios; fi

engine=''
for program in docker podman nerdctl; do
  if command -v "$program" >/dev/null; then engine=$program; break; fi
done
[[ -n $engine ]] || { echo "kind needs Docker or Podman, and neither is here" >&2; exit 1; }
export KIND_EXPERIMENTAL_PROVIDER=${KIND_EXPERIMENTAL_PROVIDER:-$engine}

name=zmy-e2e-$$
work=$(mktemp -d)
export KUBECONFIG=$work/kubeconfig
child='' kind='' made=''

# finish ends what runs, and deletes the cluster whatever state it is in.
finish() {
  local code=$?
  trap '' INT TERM
  if [[ -n $child ]]; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" || true
  fi
  if [[ -n $made ]]; then
    if ((code != 0)) && [[ -n ${KIND_LOGS:-} ]]; then "$kind" export logs --name "$name" "$KIND_LOGS" || true; fi
    "$kind" delete cluster --name "$name" || code=1
  fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run runs a command such that a signal to this script is heeded at once.
run() {
  "$@" &
  child=$!
  local code=0
  wait "$child" || code=$?
  child=''
  return "$code"
}

echo "== build kind, kubectl and the tests"
kind=$("$go" tool -modfile=tools/kind/go.mod -n kind)
run "$go" build -C e2e/tools/kubernetes -o "$work/kubectl" k8s.io/kubernetes/cmd/kubectl
tests=()
for package in "$@"; do
  tests+=("$work/${#tests[@]}.test")
  run "$go" test -C e2e -c -o "${tests[-1]}" "$package"
done
run "$go" mod download -C e2e/tools/keda github.com/kedacore/keda/v2
keda=$("$go" list -C e2e/tools/keda -m -f '{{.Dir}}' github.com/kedacore/keda/v2)
version=$("$go" list -C e2e/tools/keda -m -f '{{.Version}}' github.com/kedacore/keda/v2)

echo "== make the cluster $name"
# The HPA looks every second: what the scenarios wait for would take minutes
# otherwise. kind takes the patch that has its Kubernetes' version.
cat >"$work/cluster.yaml" <<'YAML'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
- |
  apiVersion: kubeadm.k8s.io/v1beta3
  kind: ClusterConfiguration
  controllerManager:
    extraArgs: {horizontal-pod-autoscaler-sync-period: 1s}
- |
  apiVersion: kubeadm.k8s.io/v1beta4
  kind: ClusterConfiguration
  controllerManager:
    extraArgs: [{name: horizontal-pod-autoscaler-sync-period, value: 1s}]
YAML
made=yes
run "$kind" create cluster --name "$name" --kubeconfig "$KUBECONFIG" --config "$work/cluster.yaml" --wait 5m

echo "== install KEDA $version"
"$work/kubectl" kustomize "$keda/config/default" |
  sed -E "s|(image: ghcr\.io/kedacore/[a-z-]+):[a-z]+\$|\1:${version#v}|; s/imagePullPolicy: Always/imagePullPolicy: IfNotPresent/" >"$work/keda.yaml"
run "$work/kubectl" apply --server-side -f "$work/keda.yaml"
run "$work/kubectl" --namespace keda wait --for=condition=Available --timeout=5m deployment --all
run "$work/kubectl" wait --for=condition=Available --timeout=2m apiservice/v1beta1.external.metrics.k8s.io

export ZMY_E2E_KUBECONFIG=$KUBECONFIG ZMY_E2E_LOAD="$kind load image-archive --name $name"
for i in "${!tests[@]}"; do
  package=${*:i+1:1}
  echo "== run $package"
  # A test runs in the folder of its package.
  cd "$root/e2e/$package"
  run "${tests[i]}" -test.v -test.timeout 60m
done
