package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

var errClosed = errors.New("database is closed")

// pool lends a bounded number of connections, opened as they are needed. Who waits longest goes first.
type pool struct {
	open   func(ctx context.Context) (*Conn, error)
	slots  chan struct{} // holds a token for each connection that is lent
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	idle []*Conn // the last one used is lent first: its cache is warm
}

func newPool(size int, open func(context.Context) (*Conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size), closed: make(chan struct{})}
}

func (p *pool) transact(ctx context.Context, kind transaction, fn func(*Conn) error) error {
	c, err := p.acquire(ctx)
	if err != nil {
		return fmt.Errorf("wait for a connection: %w", err)
	}
	defer p.release(c)
	return c.transact(ctx, kind, fn)
}

func (p *pool) acquire(ctx context.Context) (*Conn, error) {
	// select picks at random among what is ready, so these two come first.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errClosed
	}
	return p.take(ctx)
}

func (p *pool) take(ctx context.Context) (*Conn, error) {
	if c := p.pop(); c != nil {
		return c, nil
	}
	c, err := p.open(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return c, nil
}

func (p *pool) release(c *Conn) {
	if c.broken {
		c.discard()
	} else {
		c.trim()
		p.push(c)
	}
	<-p.slots
}

func (p *pool) pop() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

func (p *pool) push(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// warm opens the first connection.
func (p *pool) warm(ctx context.Context) error {
	c, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	p.release(c)
	return nil
}

// shut refuses new loans and waits for the connections that are lent. It is false when the pool was shut before.
func (p *pool) shut() bool {
	first := false
	p.once.Do(func() {
		close(p.closed)
		first = true
		for range cap(p.slots) {
			p.slots <- struct{}{}
		}
	})
	return first
}

// each calls fn with every connection of a pool that is shut.
func (p *pool) each(fn func(*Conn) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, fn(c))
	}
	return errors.Join(errs...)
}

// drain closes every connection of a pool that is shut.
func (p *pool) drain() error {
	err := p.each((*Conn).close)
	p.idle = nil
	return err
}
