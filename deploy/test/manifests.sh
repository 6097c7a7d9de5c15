#!/bin/bash
# Validates k8s/ and the overlays: kubeconform against the schemas of Kubernetes (SCHEMAS names their place; the public one by
# default), kube-score without one finding. KUBECONFORM, KUBE_SCORE and KUSTOMIZE name the tools, as `make check-manifests` does.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
schemas=${SCHEMAS:-default}
kubeconform=${KUBECONFORM:-kubeconform} kubescore=${KUBE_SCORE:-kube-score} kustomize=${KUSTOMIZE:-kustomize}
# The resources of operators have no schema there; everything else must have one.
validate() { "$kubeconform" -strict -summary -schema-location "$schemas" -skip ServiceMonitor,PrometheusRule,Cluster,Database "$@"; }

validate k8s/*.yaml
"$kubescore" score --output-format ci k8s/*.yaml >"$work/score" || { grep -E 'CRITICAL|WARNING' "$work/score"; exit 1; }
for overlay in deploy/kustomize/overlays/*/; do
  "$kustomize" build "$overlay" >"$work/$(basename "$overlay").yaml"
  validate "$work/$(basename "$overlay").yaml"
done
deploy/kubernetes/prometheus-rule.sh | validate -

secrets() { # ARGUMENT…
  rm -f "$work/admin-key"
  deploy/kubernetes/secrets.sh "$work/admin-key" "$@" >"$work/secrets.yaml"
  validate "$work/secrets.yaml"
}
secrets
printf 'a certificate, without a last line end' >"$work/ca.crt"
secrets --database-host db.example.com --database-ca "$work/ca.crt"
secrets --cloudnative
# The operator gives each role the password that its service has.
for service in pedidos pagamentos estoque; do
  password=$(sed -n "s|.*postgres://$service:\(.*\)@pedidos-veloz-rw/.*|\1|p" "$work/secrets.yaml")
  if ! grep -A3 "name: cnpg-$service," "$work/secrets.yaml" | grep -q "username: $service, password: $password}" ||
    ! grep -q "name: cnpg-$service\$" "$work/cloudnative.yaml"; then
    echo "the role $service has no password, or not its service's" >&2
    exit 1
  fi
done
