package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

// healthcheck asks this container's program whether it is ready: images without a shell have nothing else to ask with.
func healthcheck(program Program, args []string, settings any, common *config.Service) int {
	_, err := config.Parse(settings, config.Program{Name: program.Name, Version: VersionText(), Args: args, Env: os.Environ(),
		Vars: map[string]string{"listen_address": program.Listen}, Stdout: io.Discard})
	if err != nil {
		return fail(os.Stderr, program.Name, err)
	}
	if err := AskReady(common.ListenAddress); err != nil {
		return fail(os.Stderr, program.Name, err)
	}
	return 0
}

// AskReady asks the program that serves on the address listen of this host whether it is ready; the error says why not.
func AskReady(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("read listen address %q: %w", listen, err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health/ready", nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
