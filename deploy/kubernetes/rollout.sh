#!/bin/bash
# Rolls a commit's images out and proves them with an order; when a rollout or the order fails, everything goes back to what ran before.
#   NAMESPACE REGISTRY TAG   what goes where
#   VELOZ_URL                the gateway's public address
#   VELOZ_CANARY_KEY, VELOZ_CANARY_SKU   an API key with orders:write and orders:read, and a SKU that may be sold: the
#                            order is placed and canceled
set -euo pipefail
: "${NAMESPACE:?}" "${REGISTRY:?}" "${TAG:?}" "${VELOZ_URL:?}" "${VELOZ_CANARY_KEY:?}" "${VELOZ_CANARY_SKU:?}"
# Callees first: a service may call what the one before it has already learned.
services="estoque pagamentos pedidos api-gateway"
changed=()

deployment() { case $1 in api-gateway) echo "$1" ;; *) echo "servico-$1" ;; esac; }
image() { echo "$REGISTRY/pedidos-veloz-${1#servico-}:$TAG"; }
running() { kubectl --namespace "$NAMESPACE" get "deployment/$1" --output "jsonpath={.spec.template.spec.containers[0].image}"; }

back() {
  local name undone=()
  for name in ${changed[@]+"${changed[@]}"}; do
    # An image that could not be set has made no revision: undo would go behind the one that works.
    [ "$(running "$name")" = "$(image "$name")" ] || continue
    undone+=("$name")
    kubectl --namespace "$NAMESPACE" rollout undo "deployment/$name" || true
  done
  echo "taken back: ${undone[*]-nothing}" >&2
  for name in ${undone[@]+"${undone[@]}"}; do
    kubectl --namespace "$NAMESPACE" rollout status "deployment/$name" --timeout=300s || true
  done
}
proved=
trap '[ -n "$proved" ] || back' EXIT

call() { # METHOD PATH STATUS-PATTERN [BODY]
  local body status key
  body=$(mktemp)
  # One key for all tries of curl, and a new one for each call: a second run of a commit would be told of the first one's order.
  key=canary-$TAG-$(date +%s%N)
  status=$(curl --silent --show-error --max-time 20 --retry 3 --request "$1" "$VELOZ_URL$2" --output "$body" --write-out '%{http_code}' \
    --header "Authorization: Bearer $VELOZ_CANARY_KEY" --header "Idempotency-Key: $key" --header 'Content-Type: application/json' ${4+--data "$4"})
  cat "$body"
  # shellcheck disable=SC2053 # a pattern, on purpose
  [[ $status == $3 ]] || { echo "$1 $2 answered $status, not $3: $(cat "$body")" >&2; return 1; }
}

for service in $services; do
  name=$(deployment "$service")
  # A second run of the same commit changes nothing, and then there is nothing to take back.
  [ "$(running "$name")" != "$(image "$name")" ] || continue
  changed+=("$name") # before it is set: that may be done although no answer came
  kubectl --namespace "$NAMESPACE" set image "deployment/$name" "$name=$(image "$name")"
  kubectl --namespace "$NAMESPACE" rollout status "deployment/$name" --timeout=300s
done

call GET /health/backends 200 >/dev/null
order=$(call POST /v1/orders 201 "{\"customer\":{\"name\":\"Canary\",\"email\":\"canary@example.com\"},\"items\":[{\"sku\":\"$VELOZ_CANARY_SKU\",\"quantity\":1}],\"payment\":{\"method\":\"pix\"}}")
id=$(grep -o '"id":"[^"]*"' <<<"$order" | head -1 | cut -d '"' -f 4)
call GET "/v1/orders/$id" 200 >/dev/null
call POST "/v1/orders/$id/cancel" '20[02]' '{"reason":"canary"}' >/dev/null
proved=yes
echo "$TAG serves; canary order $id was placed, read and canceled"
