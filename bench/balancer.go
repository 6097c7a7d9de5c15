package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// balancer hands connections to endpoints in turns, as kube-proxy does: it looks at no byte, and the kernel copies them.
type balancer struct {
	listener    net.Listener
	endpoints   []string
	next        atomic.Uint64
	connections sync.WaitGroup
}

func newBalancer(endpoints []string) (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: listener, endpoints: endpoints}
	b.connections.Go(b.accept)
	return b, nil
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

// close ends it once the programs at both ends are gone.
func (b *balancer) close() error {
	err := b.listener.Close()
	b.connections.Wait()
	return err
}

func (b *balancer) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return // it was closed
		}
		endpoint := b.endpoints[b.next.Add(1)%uint64(len(b.endpoints))]
		b.connections.Go(func() { forward(client.(*net.TCPConn), endpoint) })
	}
}

func forward(client *net.TCPConn, endpoint string) {
	defer func() { _ = client.Close() }()
	conn, err := net.Dial("tcp", endpoint)
	if err != nil {
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
