package inventoryapi

import _ "embed"

// Spec is the contract of the inventory service, an OpenAPI 3.1 document in YAML: what this package was generated from.
//
//go:embed openapi.yaml
var Spec []byte
