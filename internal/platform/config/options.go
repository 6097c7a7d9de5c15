package config

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database"
)

// Service are the settings of every program that serves. Embed it; Program.Vars gives the defaults listen_address and log_format.
type Service struct {
	ListenAddress   string        `name:"listen-address" env:"VELOZ_LISTEN_ADDRESS" default:"${listen_address}" help:"Address to serve on; :0 picks a free port."`
	AdminAddress    string        `name:"admin-address" env:"VELOZ_ADMIN_ADDRESS" help:"Address of /metrics, /debug/pprof, /livez and /readyz, such as :9090. Off when empty."`
	DrainLag        time.Duration `name:"drain-lag" env:"VELOZ_DRAIN_LAG" default:"0s" help:"How long to serve on after readiness has failed; 5s in Kubernetes."`
	ShutdownTimeout time.Duration `name:"shutdown-timeout" env:"VELOZ_SHUTDOWN_TIMEOUT" default:"25s" help:"Time for the whole shutdown, drain lag included."`
	MaxBody         Bytes         `name:"max-body" env:"VELOZ_MAX_BODY" default:"256KiB" help:"Largest body of a public request."`
	MaxInternalBody Bytes         `name:"max-internal-body" env:"VELOZ_MAX_INTERNAL_BODY" default:"16MiB" help:"Largest body of a request between services."`
	Log
}

// Validate is called by Parse.
func (s Service) Validate() error {
	if err := errors.Join(checkAddress("listen-address", s.ListenAddress), checkAddress("admin-address", s.AdminAddress)); err != nil {
		return err
	}
	if s.DrainLag < 0 || s.ShutdownTimeout <= 0 {
		return fmt.Errorf("--drain-lag must not be negative and --shutdown-timeout must be positive")
	}
	if s.DrainLag >= s.ShutdownTimeout {
		return fmt.Errorf("--drain-lag (%s) must be shorter than --shutdown-timeout (%s): requests need time after it", s.DrainLag, s.ShutdownTimeout)
	}
	return nil
}

// checkAddress wants a port; an address that is empty is of something that is off.
func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
		return fmt.Errorf("--%s must be an address and its port, such as 127.0.0.1:8000 or :8000", flag)
	}
	return nil
}

// Between says that a flag's value must be between two others; nil when it is.
func Between[N int | int64 | time.Duration](flag string, value, least, most N) error {
	if value < least || value > most {
		return fmt.Errorf("--%s must be between %v and %v", flag, least, most)
	}
	return nil
}

// AtLeast says that a flag's value must be at least another; nil when it is.
func AtLeast[N int | int64 | time.Duration](flag string, value, least N) error {
	if value < least {
		return fmt.Errorf("--%s must be at least %v", flag, least)
	}
	return nil
}

// Log are the settings of the logger.
type Log struct {
	LogLevel  string `name:"log-level" env:"VELOZ_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged: ${enum}."`
	LogFormat string `name:"log-format" env:"VELOZ_LOG_FORMAT" default:"${log_format}" enum:"json,text" help:"Shape of a log line: ${enum}."`
}

// Database is where a service keeps what it owns.
type Database struct {
	DatabaseURL DatabaseURL `name:"database-url" env:"DATABASE_URL" required:"" placeholder:"URL" help:"Database of this service alone: postgres://… or a SQLite file."`
}

// Validate is called by Parse.
func (d Database) Validate() error {
	if _, err := database.ParseURL(d.DatabaseURL.Reveal()); err != nil && d.DatabaseURL != "" { // Parse itself misses one that is empty
		return fmt.Errorf("--database-url: %w", err)
	}
	return nil
}

// OrdersPeer is where the orders service is.
type OrdersPeer struct {
	OrdersURL PeerURL `name:"pedidos-service-url" env:"PEDIDOS_SERVICE_URL" required:"" placeholder:"URL" help:"Base URL of servico-pedidos."`
}

// PaymentsPeer is where the payments service is.
type PaymentsPeer struct {
	PaymentsURL PeerURL `name:"pagamentos-service-url" env:"PAGAMENTOS_SERVICE_URL" required:"" placeholder:"URL" help:"Base URL of servico-pagamentos."`
}

// InventoryPeer is where the inventory service is.
type InventoryPeer struct {
	InventoryURL PeerURL `name:"estoque-service-url" env:"ESTOQUE_SERVICE_URL" required:"" placeholder:"URL" help:"Base URL of servico-estoque."`
}
