#!/bin/bash
# Proves the compose stack on this machine's Docker engine: it starts, takes an order, keeps what it acknowledged while each
# service is killed under load, answers everything that dashboards and alerts ask, and keeps its data over down and up. Its project, network and volumes are its own.
#   deploy/test/compose.sh [--no-build]
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=veloz-compose-test VELOZ_NETWORK=veloz-compose-test VELOZ_PORT=0
services=(api-gateway servico-pedidos servico-pagamentos servico-estoque)
maxImage=25000000    # bytes
maxAllInOne=35000000 # docs/adr/0018-size-of-images.md
maxMemory=200        # MiB, the four services idle
load=compose-test-load-$$
work=$(mktemp -d)

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
fail() { say "FAILED: $*"; docker compose logs --tail 20 "${services[@]}" postgres; exit 1; }
quietly() { "$@" >"$work/output" 2>&1 || { cat "$work/output"; fail "$*"; }; }

tidy() {
  docker rm --force "$load" >/dev/null 2>&1 || true
  docker compose --profile load --profile tools --profile observability down --volumes --timeout 10 >/dev/null 2>&1 || true
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
    small "$(docker compose config --images "$service" | grep -- "pedidos-veloz-${service#servico-}:")" $maxImage
  done
  small "$(docker compose --profile tools config --images veloz | grep 'pedidos-veloz:')" $maxAllInOne
}

small() { # IMAGE BYTES
  local size
  # Of what a container sees: .Size is with what was downloaded where the engine keeps both (containerd's store).
  size=$(docker history --human=false --format '{{.Size}}' "$1" | awk '{sum += $1} END {print sum}')
  [ "$size" -le "$2" ] || fail "$1 has $size bytes, more than $2"
  say "$1: $((size / 1000000)).$((size / 100000 % 10)) MB"
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

refused() { # what must fail, for the panels that show it
  call POST /v1/orders '{"customer":{"name":"Ana Souza","email":"ana@example.com"},"items":[{"sku":"CAFE-500G","quantity":1}],"payment":{"method":"card","token":"tok_declined"}}' >/dev/null
  expect 402 payment_declined "place an order that is declined"
  call POST /v1/orders '{"customer":{"name":"Ana Souza","email":"ana@example.com"},"items":[{"sku":"CAFE-500G","quantity":1000}],"payment":{"method":"pix"}}' >/dev/null
  expect 409 out_of_stock "place an order for more than there is"
  quietly docker compose stop servico-estoque
  call GET /v1/items/CAFE-500G >/dev/null
  expect 50 '"code":"backend' "read an item while its service is away"
  quietly docker compose up --detach --wait --wait-timeout 60 --no-build --no-deps servico-estoque
}

watch() { quietly docker compose up --detach --no-deps prometheus; }

watched() {
  local prometheus
  prometheus=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(docker compose ps --quiet prometheus)")
  quietly deploy/test/dashboards.py "http://$prometheus:9090"
  say "$(cat "$work/output")"
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
    --rate 200 --clients 64 --skus 100 --duration 10m >/dev/null 2>&1 || fail "start the load"
  for service in postgres servico-estoque servico-pagamentos servico-pedidos api-gateway; do
    sleep 3
    [ "$(docker inspect --format '{{.State.Running}}' "$load")" = true ] || fail "the load ended before $service was killed: $(docker logs "$load" 2>&1 | tail -20)"
    quietly docker compose kill "$service"
    sleep 1
    quietly docker compose up --detach --wait --wait-timeout 60 --no-build --no-deps "$service"
    say "$service was killed under load and is back"
  done
  local code
  sleep 5 # of rest, with everything back
  quietly docker kill --signal INT "$load" # it sends nothing new, and checks
  code=$(timeout 180 docker wait "$load") || fail "the load did not end"
  docker logs "$load" 2>/dev/null
  [ "$code" = 130 ] || { docker logs "$load" 2>&1 | tail -40; fail "the load ended with $code"; }
}

[ "${1:-}" = --no-build ] || build
up
key=$(docker compose run --rm -T admin-key 2>/dev/null)
guarded
watch
order
idle
kills
kept "the kills"
refused
watched
quietly docker compose --profile observability down --timeout 40
up
kept "down and up"
say "ok"
