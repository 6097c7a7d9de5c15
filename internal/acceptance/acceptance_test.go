package acceptance_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// shape is one way to run the platform.
type shape struct {
	name     string
	split    bool // one process a service
	postgres bool
}

var shapes = []shape{
	{"one process on SQLite", false, false},
	{"four processes on SQLite", true, false},
	{"one process on PostgreSQL", false, true},
	{"four processes on PostgreSQL", true, true},
}

// promise is one thing that the product promises. It brings its own SKUs, so that all of them run at once on one system.
type promise struct {
	name string
	keep func(*api)
}

// everywhere starts a system of each shape and runs the promises on it.
func everywhere(t *testing.T, settings []string, promises ...[]promise) {
	in(t, shapes, settings, promises...)
}

// in is everywhere for promises that do not depend on every shape.
func in(t *testing.T, shapes []shape, settings []string, promises ...[]promise) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, shape, settings...)
			for _, group := range promises {
				for _, p := range group {
					t.Run(p.name, func(t *testing.T) {
						t.Parallel()
						p.keep(s.api(t, admin))
					})
				}
			}
		})
	}
}

// patientOrders lets an order take longer than usual until its caller is told to look later, because a machine may be busy.
const patientOrders = "VELOZ_MAX_WAIT=25s"

func TestPromises(t *testing.T) {
	everywhere(t, []string{patientOrders}, orderPromises, listPromises, cancelPromises, pixPromises, stockPromises, paymentPromises, idempotencyPromises,
		inputPromises, accessPromises)
}

// TestManyBuyers has systems of its own, for its thousand requests would slow down what others time.
func TestManyBuyers(t *testing.T) { everywhere(t, nil, rushPromises) }

func TestPixExpiry(t *testing.T) {
	// Long enough for an order to be placed and looked at, on a slow machine, while nobody pays it.
	everywhere(t, []string{"VELOZ_PIX_EXPIRY=12s", patientOrders}, expiryPromises)
}

// binaries is the folder of the product's programs.
var binaries string

func TestMain(m *testing.M) {
	// The suite mostly waits for other processes, so it runs more tests at once than there are cores, unless told otherwise.
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == n.DefValue {
		if err := n.Value.Set("6"); err != nil {
			panic(err) // the flag takes a number
		}
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "acceptance-"); err != nil {
		fmt.Fprintf(os.Stderr, "make a folder: %v\n", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }() // a temporary folder that stays behind breaks nothing
	args := append([]string{"build", "-o", binaries + string(filepath.Separator)}, buildFlags...)
	build := exec.Command("go", append(args, "./cmd/...")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the binaries: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
