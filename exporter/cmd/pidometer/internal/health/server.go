package health

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Address is where to listen: host:port with an IP address for a host. Without a host,
// and with localhost, it is this machine's own. Whoever wants to be asked by others
// has to write an address of the network.
func Address(text string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address; write 127.0.0.1:13133", text)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q is not a number up to 65535; write 127.0.0.1:13133", port)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no IP address; write 127.0.0.1:%s", host, port)
	}
	return netip.AddrPortFrom(ip, uint16(n)), nil
}

// Server answers until it is stopped.
type Server struct {
	Addr   net.Addr
	server *http.Server
	done   chan struct{}
}

// Serve begins to answer. A failure to listen is an error here.
func Serve(at netip.AddrPort, s *Subject) (*Server, error) {
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("health: %w; choose another address", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", answer(s.Read))
	mux.Handle("GET /readyz", answer(s.Deliver))
	h := &Server{Addr: listener.Addr(), done: make(chan struct{}), server: &http.Server{
		Handler: mux, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: 8 << 10,
		ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: time.Minute,
	}}
	go func() {
		defer close(h.done)
		_ = h.server.Serve(listener) // it ends when it is stopped
	}()
	return h, nil
}

// patience is how long somebody who asks may take, and answers that are being given
// when the server is stopped.
const patience = 2 * time.Second

// Stop answers no more. Whoever has been answered too slowly is left.
func (h *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := h.server.Shutdown(ctx)
	if err != nil {
		err = h.server.Close()
	}
	<-h.done
	return err
}

// answer writes a report, with status 503 if it is not ok.
func answer(read func() Report) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r := read()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if r.Status != fine {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(r) // whoever asked may have gone
	})
}
