// Package api holds the contracts: one OpenAPI file a service, and the types, server and client that ogen generates from it.
package api

//go:generate go tool ogen --config ogen.yaml --target ordersapi --package ordersapi --clean ordersapi/openapi.yaml
//go:generate go tool ogen --config ogen.yaml --target paymentsapi --package paymentsapi --clean paymentsapi/openapi.yaml
//go:generate go tool ogen --config ogen.yaml --target inventoryapi --package inventoryapi --clean inventoryapi/openapi.yaml
