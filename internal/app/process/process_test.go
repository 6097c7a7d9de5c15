package process_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

// TestSettingsThatCannotBeAreWrongUsage: a supervisor need not try them again. A container's health check has 1 for them:
// Docker keeps 2 to itself.
func TestSettingsThatCannotBeAreWrongUsage(t *testing.T) {
	t.Parallel()
	program := process.Program{Name: "servico-x", Listen: "127.0.0.1:0"}
	never := func(context.Context, *lifecycle.Stack, *process.Runtime) error {
		t.Error("started")
		return nil
	}
	for want, args := range map[int][]string{2: {"--drain-lag=-1s"}, 1: {"healthcheck", "--drain-lag=-1s"}} {
		var settings struct{ config.Service }
		if code := process.Main(program, args, &settings, &settings.Service, never); code != want {
			t.Errorf("%v ends with %d, not %d", args, code, want)
		}
	}
}

// TestAPortThatIsTakenBlamesItsFlag starts a service whose admin address another program has.
func TestAPortThatIsTakenBlamesItsFlag(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for flag, addresses := range map[string][2]string{
		"--listen-address": {taken.Addr().String(), ""},
		"--admin-address":  {"127.0.0.1:0", taken.Addr().String()},
	} {
		common := config.Service{ListenAddress: addresses[0], AdminAddress: addresses[1], Log: config.Log{LogLevel: "error", LogFormat: "text"}}
		err := process.Run(t.Context(), process.Program{Name: "servico-x"}, common, func(_ context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
			_, err := rt.Serve(stack, common, process.Component{})
			return err
		})
		var listen *process.ListenError
		if !errors.As(err, &listen) || listen.Flag != flag || !strings.Contains(err.Error(), flag+" picks another") {
			t.Errorf("%v does not blame %s", err, flag)
		}
	}
}
