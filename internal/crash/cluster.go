//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

// cluster is PostgreSQL behind links: one server, or a primary whose commits wait for a standby.
type cluster struct {
	dir      string
	settings []string
	names    []string // of its databases
	made     int      // servers, ever
	servers  []*pgtest.Server
	links    []*link // to the servers, by the same number
	primary  int
}

func newCluster(ctx context.Context, dir string, standby bool, names []string, settings ...string) (*cluster, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	c := &cluster{dir: dir, names: names, settings: append([]string{"max_wal_size=64MB", "min_wal_size=32MB"}, settings...)}
	primary, err := pgtest.Start(ctx, c.folder(), c.settings...)
	if err != nil {
		return nil, err
	}
	c.servers = append(c.servers, primary)
	for _, name := range names {
		if _, err := primary.CreateDatabase(ctx, name); err != nil {
			return c, err
		}
	}
	if standby {
		if err := c.addStandby(ctx); err != nil {
			return c, err
		}
	}
	for i, s := range c.servers {
		l, err := newLink(fmt.Sprintf("database %d", i+1), s.Address())
		if err != nil {
			return c, err
		}
		c.links = append(c.links, l)
	}
	return c, nil
}

func (c *cluster) folder() string {
	c.made++
	return filepath.Join(c.dir, fmt.Sprintf("server-%d", c.made))
}

// url names every server, and asks for the one that takes writes.
func (c *cluster) url(database string) string {
	var hosts []string
	for _, l := range c.links {
		hosts = append(hosts, l.address())
	}
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: strings.Join(hosts, ","), Path: "/" + database,
		RawQuery: "sslmode=disable&target_session_attrs=read-write&connect_timeout=2"}
	return u.String()
}

func (c *cluster) addStandby(ctx context.Context) error {
	standby, err := pgtest.StartStandby(ctx, c.servers[c.primary], c.folder(), c.settings...)
	if err != nil {
		return err
	}
	other := 1 - c.primary
	if len(c.servers) == 1 {
		c.servers = append(c.servers, standby)
	} else {
		c.servers[other] = standby
	}
	if len(c.links) > other {
		if err := c.links[other].lead(standby.Address()); err != nil {
			return err
		}
	}
	return c.servers[c.primary].RequireStandby(ctx)
}

// failOver kills the primary for good and promotes the standby, which is alone then: give it a standby before the next.
func (c *cluster) failOver(ctx context.Context) error {
	if err := c.servers[c.primary].Kill(ctx); err != nil {
		return err
	}
	c.primary = 1 - c.primary
	return c.servers[c.primary].Promote(ctx)
}

func (c *cluster) kill(ctx context.Context) error { return c.servers[c.primary].Kill(ctx) }

func (c *cluster) restart(ctx context.Context) error { return c.servers[c.primary].Restart(ctx) }

// reviveDead starts the primary if it has ended by itself.
func (c *cluster) reviveDead(ctx context.Context) error {
	if c.servers[c.primary].Alive() {
		return nil
	}
	return c.restart(ctx)
}

func (c *cluster) stop(ctx context.Context) error {
	var errs []error
	for _, l := range c.links {
		l.cut()
	}
	for i := range c.servers {
		// The primary last: a standby that streams would hold its shutdown up.
		errs = append(errs, c.servers[(c.primary+1+i)%len(c.servers)].Stop(ctx))
	}
	return errors.Join(errs...)
}
