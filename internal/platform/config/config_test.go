package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

type orders struct {
	config.Service
	config.Database
	config.InventoryPeer
	Tags   []string      `name:"tags" env:"VELOZ_TAGS"`
	APIKey config.Secret `name:"api-key" env:"VELOZ_API_KEY"`
}

const databaseURL = "postgres://veloz:s3cret@db:5432/orders?sslmode=disable"

var needed = []string{"DATABASE_URL=" + databaseURL, "ESTOQUE_SERVICE_URL=http://estoque:8003/"}

func parse(t *testing.T, args, env []string) (orders, string, bool, error) {
	t.Helper()
	var target orders
	var out strings.Builder
	ctx, err := config.Parse(&target, config.Program{
		Name: "servico-pedidos", Description: "Orders.", Version: "1.2.3", Args: args, Env: env,
		Vars: map[string]string{"listen_address": ":8001"}, Stdout: &out,
	})
	return target, out.String(), ctx != nil, err
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "veloz.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsBeatEnvironmentBeatsFileBeatsDefaults(t *testing.T) {
	t.Parallel()
	path := file(t, "# comment\nlog:\n  level: warn\n  format: text\nshutdown_timeout: 40s\nmax-body: 1MiB\ntags: [a, b]\n")
	got, _, run, err := parse(t, []string{"--log-level=error", "--config", path},
		append(needed, "VELOZ_LOG_LEVEL=debug", "VELOZ_SHUTDOWN_TIMEOUT=30s", "VELOZ_ADMIN_ADDRESS="))
	if err != nil || !run {
		t.Fatal(run, err)
	}
	if got.LogLevel != "error" || got.ShutdownTimeout != 30*time.Second || got.LogFormat != "text" || got.ListenAddress != ":8001" ||
		got.MaxBody != 1<<20 || got.MaxInternalBody != 16<<20 || len(got.Tags) != 2 || got.InventoryURL != "http://estoque:8003" || got.DatabaseURL.Reveal() != databaseURL {
		t.Errorf("%+v", got)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		args, env  []string
		want       []string
	}{
		{name: "variable", env: append(needed, "VELOZ_LOGLEVEL=debug"), want: []string{"unknown environment variable VELOZ_LOGLEVEL", "did you mean VELOZ_LOG_LEVEL?"}},
		{name: "key", file: "\nlog-levle: debug\n", env: needed, want: []string{`veloz.yaml:2: unknown key "log-levle"`, "did you mean log-level?"}},
		{name: "nested key", file: "log: {levels: debug}", env: needed, want: []string{`unknown key "log-levels"`, "did you mean log-level?"}},
		{name: "key twice", file: "log-level: debug\nlog: {level: warn}", env: needed, want: []string{"set twice"}},
		{name: "check in file", file: "check-config: true", env: needed, want: []string{"unknown key"}},
		{name: "not YAML", file: "a: [", env: needed, want: []string{"is not YAML"}},
		{name: "a list", file: "- a", env: needed, want: []string{"unknown key"}},
		{name: "no file", args: []string{"--config=/nowhere.yaml"}, env: needed, want: []string{"read --config", "/nowhere.yaml"}},
		{name: "missing", want: []string{"missing flags", "set DATABASE_URL or --database-url", "set ESTOQUE_SERVICE_URL"}},
		{name: "bad enum", env: append(needed, "VELOZ_LOG_LEVEL=loud"), want: []string{"--log-level", "was set by VELOZ_LOG_LEVEL"}},
		{name: "bad duration", env: append(needed, "VELOZ_DRAIN_LAG=5"), want: []string{"--drain-lag", "was set by VELOZ_DRAIN_LAG"}},
		{name: "bad peer", env: []string{needed[0], "ESTOQUE_SERVICE_URL=estoque:8003"}, want: []string{"must be a base URL such as", "ESTOQUE_SERVICE_URL"}},
		{name: "bad size", file: "max-body: lots", env: needed, want: []string{"must be a size such as", "veloz.yaml"}},
		{name: "lag", args: []string{"--drain-lag=30s"}, env: needed, want: []string{"must be shorter than --shutdown-timeout"}},
		{name: "address", args: []string{"--admin-address=9090"}, env: needed, want: []string{"--admin-address must be an address and its port"}},
		{name: "database", env: []string{"DATABASE_URL=mysql://veloz:s3cret@db/orders", needed[1]}, want: []string{"--database-url: ", "postgres://", "was set by DATABASE_URL"}},
		{name: "flag", args: []string{"--log-levl=debug"}, env: needed, want: []string{"unknown flag --log-levl", "did you mean"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.file != "" {
				test.args = append(test.args, "--config="+file(t, test.file))
			}
			_, _, run, err := parse(t, test.args, test.env)
			if err == nil || run {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error(err)
			}
		})
	}
}

// TestKubernetesServiceLinksAreNoTypos: a Service named veloz puts these into every pod of its namespace.
func TestKubernetesServiceLinksAreNoTypos(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"VELOZ_SERVICE_HOST", "VELOZ_SERVICE_PORT", "VELOZ_SERVICE_PORT_HTTP", "VELOZ_PORT", "VELOZ_PORT_8000_TCP",
		"VELOZ_PORT_8000_TCP_ADDR", "VELOZ_WEB_SERVICE_HOST", "VELOZ_WEB_PORT_80_TCP_PROTO"} {
		if _, _, run, err := parse(t, nil, append(needed, name+"=x")); err != nil || !run {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCommandsMayShareAFlagsName: the variable of one is known although the other's flag of that name has none.
func TestCommandsMayShareAFlagsName(t *testing.T) {
	t.Parallel()
	var target struct {
		List struct {
			KeyFile string `name:"key-file" env:"VELOZ_KEY_FILE"`
		} `cmd:""`
		Load struct {
			KeyFile string `name:"key-file"`
		} `cmd:""`
	}
	ctx, err := config.Parse(&target, config.Program{Name: "veloz", Args: []string{"list"}, Env: []string{"VELOZ_KEY_FILE=/key"}})
	if err != nil || ctx == nil || target.List.KeyFile != "/key" {
		t.Fatal(target, err)
	}
}

func TestCheckConfigPrintsWithoutSecretsAndRoundTrips(t *testing.T) {
	t.Parallel()
	env := append(needed, "VELOZ_API_KEY=k3y", "VELOZ_TAGS=a,b")
	_, out, run, err := parse(t, []string{"--check-config", "--log-level=warn"}, env)
	if err != nil || run {
		t.Fatal(run, err)
	}
	for _, want := range []string{`log-level: "warn"  # flag`, `listen-address: ":8001"  # default`, `database-url: "postgres://veloz:[redacted]@db:5432/orders?sslmode=disable"  # DATABASE_URL`,
		`api-key: "[redacted]"  # VELOZ_API_KEY`, `max-body: "256KiB"  # default`, `tags: ["a", "b"]  # VELOZ_TAGS`, `shutdown-timeout: "25s"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "s3cret") || strings.Contains(out, "k3y") {
		t.Error(out)
	}
	if again, _, _, err := parse(t, []string{"--config", file(t, out)}, needed); err != nil || again.LogLevel != "warn" {
		t.Errorf("what was printed is no file: %v", err)
	}
}

// TestCheckConfigIsOfOneCommand: another command's flag of the same name is none of its business.
func TestCheckConfigIsOfOneCommand(t *testing.T) {
	t.Parallel()
	var target struct {
		Up struct {
			LogLevel string `name:"log-level" env:"VELOZ_LOG_LEVEL" default:"info"`
		} `cmd:""`
		Check struct {
			LogLevel string `name:"log-level" default:"error"`
			Depth    int    `name:"depth"`
		} `cmd:""`
	}
	var out strings.Builder
	_, err := config.Parse(&target, config.Program{Name: "veloz", Args: []string{"up", "--check-config"}, Env: []string{"VELOZ_LOG_LEVEL=warn"}, Stdout: &out})
	if want := "log-level: \"warn\"  # VELOZ_LOG_LEVEL\n"; err != nil || out.String() != want {
		t.Errorf("%v %q, not %q", err, out.String(), want)
	}
}

// TestCheckConfigPrintsWhatPointersHold: one that is nil stands for a setting that was not made.
func TestCheckConfigPrintsWhatPointersHold(t *testing.T) {
	t.Parallel()
	var target struct {
		Since *time.Duration `name:"since"`
		Until *time.Duration `name:"until"`
	}
	var out strings.Builder
	_, err := config.Parse(&target, config.Program{Name: "veloz", Args: []string{"--check-config", "--since=2h"}, Stdout: &out})
	if want := "since: \"2h0m0s\"  # flag\n# until is not set\n"; err != nil || out.String() != want {
		t.Errorf("%v %q, not %q", err, out.String(), want)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"--max-batch must be between 1 and 1000": config.Between("max-batch", 1001, 1, 1000),
		"--order-lease must be at least 1s":      config.AtLeast("order-lease", time.Second-1, time.Second),
		"<nil>":                                  errors.Join(config.Between("x", 1, 1, 1), config.AtLeast("x", 1, 1)),
	} {
		if fmt.Sprint(err) != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	_, out, run, err := parse(t, []string{"--help"}, nil)
	if err != nil || run || !strings.Contains(out, "DATABASE_URL") || !strings.Contains(out, "VELOZ_LOG_LEVEL") || !strings.Contains(out, "--check-config") {
		t.Errorf("%v %v %s", run, err, out)
	}
	_, out, run, err = parse(t, []string{"--version"}, nil)
	if err != nil || run || strings.TrimSpace(out) != "1.2.3" {
		t.Errorf("%v %v %q", run, err, out)
	}
}

func TestDatabaseURLsLoseTheirPassword(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]config.DatabaseURL{
		databaseURL: "", "postgres://u:s3cret@h/d": "", "host=h password=s3cret user=u": "", "postgres://h/d?password=s3cret&x=1": "",
		"postgres://u:s3/cret@h/d": "", "postgres://u:s3@cret@h/d": "", "password='s3 cret' host=h": "", "./data/orders.db": "./data/orders.db", "sqlite:///x@y": "sqlite:///x@y",
	} {
		d := config.DatabaseURL(in)
		encoded, _ := json.Marshal(d)
		for _, shown := range []string{d.String(), fmt.Sprintf("%v %+v %#v", d, struct{ D config.DatabaseURL }{d}, d), string(encoded), d.LogValue().String()} {
			if strings.Contains(shown, "s3") || strings.Contains(shown, "cret") {
				t.Errorf("%s shows as %s", in, shown)
			}
		}
		if want != "" && d.String() != string(want) {
			t.Errorf("%s shows as %s", in, d)
		}
	}
}
