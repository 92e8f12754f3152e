package kube

import (
	"context"
	"net"
	"syscall"
	"testing/synctest"

	"k8s.io/client-go/rest"
)

// config returns how to reach the server.
func (s *apiServer) config() *rest.Config {
	return &rest.Config{Host: "http://kube.test", Dial: s.dial, QPS: 1000, Burst: 1000}
}

func (s *apiServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	s.open[far] = true
	select {
	case s.conns <- far:
		return near, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept, Close and Addr implement net.Listener.
func (s *apiServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *apiServer) Close() error {
	close(s.closed)
	return nil
}

func (s *apiServer) Addr() net.Addr { return &net.UnixAddr{Name: "kube"} }

// kill drops all connections and accepts no more.
func (s *apiServer) kill() {
	s.set(func() {
		s.down = true
		for c := range s.open {
			_ = c.Close()
		}
		clear(s.open)
	})
}

// shutdown ends all watches in good order, and accepts no more.
func (s *apiServer) shutdown() {
	s.set(func() {
		s.down = true
		s.wake()
	})
	synctest.Wait()
	s.kill()
}

// drop ends all connections, and so all watches.
func (s *apiServer) drop() {
	s.kill()
	s.set(func() { s.down = false })
}
