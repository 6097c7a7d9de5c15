//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/launch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/failpoint"
)

// tally is what was done to a system, and how soon it was back.
type tally struct {
	faults map[Kind]int
	kills  int             // of services
	passed map[string]int  // failpoints at which a process died
	ready  []time.Duration // from a process's start to its readiness, with its database there
	back   []time.Duration // from a database's return to the readiness of all
}

// inflict does one fault to the system and undoes it: it returns when the system should work again, and is ready.
func (s *system) inflict(ctx context.Context, f Fault, t *tally) error {
	t.faults[f.Kind]++
	switch f.Kind {
	case Kill:
		return s.kill(ctx, s.victims(f), t)
	case Failpoint:
		return s.killAt(ctx, f, t)
	case Pause, LongPause:
		return s.pause(ctx, f)
	case Cut, Silence, Slow:
		return s.disturb(ctx, f)
	case DatabaseKill:
		return s.killDatabase(ctx, f, t)
	case FailOver:
		return s.failOver(ctx, t)
	case DiskFull:
		return s.fillDisk(ctx, f, t)
	default:
		return fmt.Errorf("unknown fault %s", f.Kind)
	}
}

// victims are the processes that a fault names, each once.
func (s *system) victims(f Fault) (victims []*launch.Program) {
	seen := make(map[*launch.Program]bool)
	for _, n := range f.Targets {
		if p := s.programs[n%len(s.programs)]; !seen[p] {
			seen[p] = true
			victims = append(victims, p)
		}
	}
	return victims
}

func (s *system) kill(ctx context.Context, victims []*launch.Program, t *tally) error {
	for _, p := range victims {
		if err := p.End(syscall.SIGKILL, stopLimit); err != nil {
			return err
		}
		t.kills++
	}
	for _, p := range victims {
		if err := s.revive(ctx, p, t); err != nil {
			return err
		}
	}
	return nil
}

// revive starts a process that has died, and measures how long it takes to be ready.
func (s *system) revive(ctx context.Context, p *launch.Program, t *tally, env ...string) error {
	plain := p.Env
	p.Env = append(plain[:len(plain):len(plain)], env...)
	began := time.Now()
	err := p.Start()
	p.Env = plain
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.AwaitReady(ctx, "/health/ready"); err != nil {
		select {
		case <-p.Done():
			if len(env) > 0 {
				return nil // a failpoint can be passed before anybody asks for readiness
			}
		default:
		}
		return fmt.Errorf("%w\n%s", err, p.Log.Tail(4<<10))
	}
	t.ready = append(t.ready, time.Since(began))
	return nil
}

// reachLimit bounds the wait for a process to pass its failpoint: some are passed seldom.
const reachLimit = 4 * time.Second

// killAt kills a process, which comes back to die at a named moment of its work, and comes back again.
func (s *system) killAt(ctx context.Context, f Fault, t *tally) error {
	victim := s.programs[0]
	for _, p := range s.programs {
		if p.Name == owner(f.Moment) {
			victim = p
			break
		}
	}
	if err := victim.End(syscall.SIGKILL, stopLimit); err != nil {
		return err
	}
	t.kills++
	if err := s.revive(ctx, victim, t, fmt.Sprintf("%s=%s:%d", failpoint.Variable, f.Moment, f.Passing)); err != nil {
		return err
	}
	select {
	case <-victim.Done():
		t.passed[f.Moment]++
	case <-time.After(reachLimit): // not passed: it is killed wherever it is
		if err := victim.End(syscall.SIGKILL, stopLimit); err != nil {
			return err
		}
	}
	t.kills++
	return s.revive(ctx, victim, t)
}

func (s *system) pause(ctx context.Context, f Fault) error {
	for _, p := range s.victims(f) {
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
	}
	last(ctx, f.For)
	for _, p := range s.victims(f) {
		if err := p.Signal(syscall.SIGCONT); err != nil {
			return err
		}
	}
	return s.awaitReady(ctx)
}

// disturb breaks one link between services, or all links to the databases.
func (s *system) disturb(ctx context.Context, f Fault) error {
	links := s.links
	if s.cluster != nil && (len(links) == 0 || f.Targets[0]%3 == 0) {
		links = s.cluster.links
	} else {
		at := f.Targets[0] % len(links)
		links = links[at : at+1]
	}
	for _, l := range links {
		if f.Kind == Cut {
			l.cut()
		} else if err := l.poison(f.Kind); err != nil {
			return err
		}
	}
	last(ctx, f.For)
	for _, l := range links {
		if f.Kind == Cut {
			if err := l.mend(); err != nil {
				return err
			}
		} else {
			l.cure(ctx)
		}
	}
	return s.awaitReady(ctx)
}

func (s *system) killDatabase(ctx context.Context, f Fault, t *tally) error {
	if err := s.cluster.kill(ctx); err != nil {
		return err
	}
	last(ctx, f.For)
	if err := s.cluster.restart(ctx); err != nil {
		return err
	}
	return s.measureReturn(ctx, t)
}

func (s *system) failOver(ctx context.Context, t *tally) error {
	if err := s.cluster.failOver(ctx); err != nil {
		return err
	}
	if err := s.measureReturn(ctx, t); err != nil {
		return err
	}
	return s.cluster.addStandby(ctx)
}

func (s *system) measureReturn(ctx context.Context, t *tally) error {
	began := time.Now()
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	t.back = append(t.back, time.Since(began))
	return nil
}

func (s *system) fillDisk(ctx context.Context, f Fault, t *tally) error {
	if err := s.disk.fill(); err != nil {
		return err
	}
	last(ctx, f.For)
	if err := s.disk.empty(); err != nil {
		return err
	}
	if s.cluster == nil {
		return s.awaitReady(ctx)
	}
	// PostgreSQL ends itself when it cannot write its log, and may have found no room to recover.
	return errors.Join(s.cluster.reviveDead(ctx), s.measureReturn(ctx, t))
}

// last lets a fault last.
func last(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
