package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// service is one of the services as a program of its own.
type service struct {
	program, peer string
	replicas      int
}

func startFour(ctx context.Context, s *shape, w workload) (*instance, error) {
	return startReplicas(1)(ctx, s, w)
}

// startReplicas starts a program a service, of orders and inventory as many as n, each service on one database. Where
// there are several, connections go to them in turns, as a Kubernetes service spreads them.
func startReplicas(n int) func(context.Context, *shape, workload) (*instance, error) {
	return func(ctx context.Context, s *shape, _ workload) (*instance, error) {
		at := &instance{}
		peers := map[string]string{}
		for _, service := range []service{{"servico-estoque", "estoque", n}, {"servico-pagamentos", "pagamentos", 1}, {"servico-pedidos", "pedidos", n}} {
			url, err := at.runService(ctx, s.bench, service, peers)
			if err != nil {
				return at, err
			}
			peers[service.peer] = url
		}
		return at, at.runGateway(ctx, s.bench, peers)
	}
}

func (at *instance) runService(ctx context.Context, b *bench, s service, peers map[string]string) (string, error) {
	database, err := b.newDatabase(ctx, s.peer)
	if err != nil {
		return "", err
	}
	var addresses []string
	for range s.replicas {
		address, err := freeAddress()
		if err != nil {
			return "", err
		}
		args := []string{"--listen-address", address, "--log-level", "warn", "--database-url", database}
		if s.peer == "pedidos" {
			args = append(args, "--estoque-service-url", peers["estoque"], "--pagamentos-service-url", peers["pagamentos"])
		}
		if err := at.run(ctx, b, s.program, address, args...); err != nil {
			return "", err
		}
		addresses = append(addresses, address)
	}
	if len(addresses) == 1 {
		return "http://" + addresses[0], nil
	}
	balancer, err := newBalancer(addresses)
	if err != nil {
		return "", err
	}
	at.balancers = append(at.balancers, balancer)
	return balancer.url(), nil
}

func (at *instance) runGateway(ctx context.Context, b *bench, peers map[string]string) error {
	admin, err := keys.EnsureAdmin(b.dir+"/keys", time.Now())
	if err != nil {
		return err
	}
	key, err := os.ReadFile(admin.PlaintextFile)
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	at.url, at.key = "http://"+address, strings.TrimSpace(string(key))
	return at.run(ctx, b, "api-gateway", address, "--listen-address", address, "--log-level", "warn", "--api-keys-file", admin.KeysFile,
		"--pedidos-service-url", peers["pedidos"], "--pagamentos-service-url", peers["pagamentos"], "--estoque-service-url", peers["estoque"])
}
