package rolling_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
)

// balancer spreads connections over endpoints as kube-proxy does: it looks at no byte, tries no second endpoint, and
// leaves open connections alone when an endpoint goes.
type balancer struct {
	listener net.Listener

	mu        sync.Mutex
	endpoints []string
	next      int

	connections sync.WaitGroup
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: listener}
	b.connections.Go(b.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		b.connections.Wait() // the programs at both ends are gone by now
	})
	return b
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

func (b *balancer) add(endpoint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endpoints = append(b.endpoints, endpoint)
}

func (b *balancer) remove(endpoint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endpoints = slices.DeleteFunc(b.endpoints, func(e string) bool { return e == endpoint })
}

func (b *balancer) pick() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.endpoints) == 0 {
		return ""
	}
	b.next++
	return b.endpoints[b.next%len(b.endpoints)]
}

func (b *balancer) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return // the test is over
		}
		b.connections.Go(func() { b.forward(client.(*net.TCPConn)) })
	}
}

func (b *balancer) forward(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	conn, err := net.Dial("tcp", b.pick())
	if err != nil {
		_ = client.SetLinger(0) // what a refused connection looks like behind kube-proxy
		return
	}
	server := conn.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	var directions sync.WaitGroup
	directions.Go(func() { pump(server, client) })
	directions.Go(func() { pump(client, server) })
	directions.Wait()
}

// pump copies until one side ends and hands that end on. An error means that a side has gone, which the other sees.
func pump(to, from *net.TCPConn) {
	_, _ = io.Copy(to, from)
	_ = to.CloseWrite()
}
