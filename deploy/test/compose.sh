#!/bin/bash
# Proves the compose stack on this machine's Docker engine: it starts, takes an order, keeps what it acknowledged while each
# service is killed under load, and keeps its data over down and up. Its project, network and volumes are its own.
#   deploy/test/compose.sh [--no-build]
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=veloz-compose-test VELOZ_NETWORK=veloz-compose-test VELOZ_PORT=0
services=(api-gateway servico-pedidos servico-pagamentos servico-estoque)
maxImage=25000000 # bytes
maxMemory=200     # MiB, the four services idle
load=compose-test-load-$$
work=$(mktemp -d)

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
fail() { say "FAILED: $*"; docker compose logs --tail 20 "${services[@]}" postgres; exit 1; }
quietly() { "$@" >"$work/output" 2>&1 || { cat "$work/output"; fail "$*"; }; }

tidy() {
  docker rm --force "$load" >/dev/null 2>&1 || true
  docker compose --profile load --profile tools down --volumes --timeout 10 >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap tidy EXIT

address() { echo "http://$(docker compose port api-gateway 8000)"; }

# call METHOD PATH [BODY]: the answer goes to standard output, its status to $work/status.
call() {
  local data=()
  [ $# -lt 3 ] || data=(--header 'Content-Type: application/json' --data "$3")
  curl --silent --show-error --max-time 20 --request "$1" "$(address)$2" --header "Authorization: Bearer $key" \
    --header "Idempotency-Key: compose-test-$$-$RANDOM$RANDOM" --output "$work/body" --write-out '%{http_code}' "${data[@]}" >"$work/status"
  cat "$work/body"
}
expect() { # STATUS TEXT what: of the last call
  if ! grep -q "$1" "$work/status" || ! grep -q "$2" "$work/body"; then
    fail "$3: $(cat "$work/status") $(cat "$work/body")"
  fi
}

build() {
  quietly docker compose --profile tools build
  for service in "${services[@]}"; do
    image=$(docker compose config --images "$service" | grep pedidos-veloz- | grep -- "-${service#servico-}:")
    size=$(docker image inspect --format '{{.Size}}' "$image")
    [ "$size" -le $maxImage ] || fail "$image has $size bytes, more than $maxImage"
    say "$image: $((size / 1000000)).$((size / 100000 % 10)) MB"
  done
}

up() {
  local began=$SECONDS
  quietly docker compose up --detach --wait --wait-timeout 120 --no-build
  say "healthy after $((SECONDS - began)) s"
}

guarded() { # what the containers may do
  for service in "${services[@]}"; do
    shape=$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.PortBindings}}' "$(docker compose ps --quiet "$service")")
    want="65532:65532 true [ALL] map[]"
    [ "$service" != api-gateway ] || want="65532:65532 true [ALL] map[8000/tcp:[{127.0.0.1 0}]]"
    [ "$shape" = "$want" ] || fail "$service runs as '$shape', not '$want'"
  done
}

order() {
  call PUT /v1/items/CAFE-500G '{"name":"Café torrado em grãos, 500 g","price_cents":3990,"low_stock_threshold":50}' >/dev/null
  expect 20 CAFE-500G "put an item"
  call POST /v1/stock-adjustments '{"sku":"CAFE-500G","delta":100,"reason":"delivery"}' >/dev/null
  expect 20 CAFE-500G "add stock"
  call POST /v1/orders '{"customer":{"name":"Ana Souza","email":"ana@example.com"},"items":[{"sku":"CAFE-500G","quantity":2}],"payment":{"method":"card","token":"tok_approved"}}' >/dev/null
  expect 201 '"status":"confirmed"' "place an order"
  id=$(grep -o '"id":"[^"]*"' "$work/body" | head -1 | cut -d '"' -f 4)
  say "order $id is confirmed"
}

kept() {
  call GET "/v1/orders/$id" >/dev/null
  expect 200 '"status":"confirmed"' "read order $id after $1"
}

idle() {
  local total containers
  mapfile -t containers < <(docker compose ps --quiet "${services[@]}")
  total=$(docker stats --no-stream --format '{{.MemUsage}}' "${containers[@]}" | awk '{v=$1; u=v; sub(/[A-Za-z]+$/,"",v); sub(/^[0-9.]+/,"",u); s+=(u=="GiB")?v*1024:(u=="KiB")?v/1024:v} END {printf "%d", s}')
  [ "$total" -lt $maxMemory ] || fail "the services take $total MiB when idle"
  say "the four services take $total MiB when idle"
}

# Every service and the database die once in the middle of one run of the load generator, which then reads back each order
# that was acknowledged, and ends with an error if one is missing, doubled or changed, or stock does not add up.
kills() {
  docker compose run --detach --name "$load" load load --server http://api-gateway:8000 --key-file /secrets/admin-key \
    --rate 200 --clients 64 --skus 100 --duration 75s >/dev/null 2>&1 || fail "start the load"
  for service in postgres servico-estoque servico-pagamentos servico-pedidos api-gateway; do
    sleep 3
    [ "$(docker inspect --format '{{.State.Running}}' "$load")" = true ] || fail "the load ended before $service was killed: $(docker logs "$load" 2>&1 | tail -20)"
    quietly docker compose kill "$service"
    sleep 1
    quietly docker compose up --detach --wait --wait-timeout 60 --no-build --no-deps "$service"
    say "$service was killed under load and is back"
  done
  local code
  code=$(timeout 180 docker wait "$load") || fail "the load did not end"
  docker logs "$load" 2>/dev/null
  [ "$code" = 0 ] || { docker logs "$load" 2>&1 | tail -40; fail "the load ended with $code"; }
}

[ "${1:-}" = --no-build ] || build
up
key=$(docker compose run --rm -T admin-key 2>/dev/null)
guarded
order
idle
kills
kept "the kills"
quietly docker compose down --timeout 40
up
kept "down and up"
say "ok"
