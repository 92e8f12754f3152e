package isolate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server. Unlike a file with hosts it is asked anew each time, so
// that a change is seen at once.
type names struct {
	mu   sync.Mutex
	all  map[string][]netip.Addr
	conn net.PacketConn
}

// serveNames starts a name server.
func serveNames() (*names, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return nil, err
	}
	n := &names{all: map[string][]netip.Addr{}, conn: conn}
	go n.serve()
	return n, nil
}

// set makes the addresses the ones behind a name; without any it is gone.
func (n *names) set(name string, addresses []string) error {
	var parsed []netip.Addr
	for _, a := range addresses {
		address, err := netip.ParseAddr(a)
		if err != nil {
			return err
		}
		parsed = append(parsed, address)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(parsed) == 0 {
		delete(n.all, name)
	} else {
		n.all[name] = parsed
	}
	return nil
}

// serve answers for as long as the process lives.
func (n *names) serve() {
	buffer := make([]byte, 1500)
	for {
		length, from, err := n.conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of one datagram
		}
		if answer, err := n.answer(buffer[:length]); err == nil {
			_, _ = n.conn.WriteTo(answer, from) // who does not get it asks again
		}
	}
}

// answer answers one question.
func (n *names) answer(question []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(question)
	if err != nil {
		return nil, err
	}
	q, err := parser.Question()
	if err != nil {
		return nil, fmt.Errorf("a question: %w", err)
	}
	n.mu.Lock()
	addresses, known := n.all[strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")]
	addresses = slices.Clone(addresses)
	n.mu.Unlock()
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		if q.Type == dnsmessage.TypeA && a.Is4() {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: a.As4()},
			})
		}
	}
	return reply.Pack()
}
