// Package otlptest is an OTLP receiver for tests, over gRPC or HTTP, that does
// not only work: it can refuse, wait and complain.
package otlptest

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Patience is how long a test waits for what must come.
const Patience = 20 * time.Second

// Request is what an exporter sends at once.
type Request = collector.ExportMetricsServiceRequest

// Response is what it is answered.
type Response = collector.ExportMetricsServiceResponse

// Answer decides on a request before it is kept. An error refuses it, with the
// code of package status; a nil response is an empty one.
type Answer func(context.Context, *Request) (*Response, error)

// Receiver is an OTLP receiver.
type Receiver struct {
	// Addr is host:port.
	Addr string

	collector.UnimplementedMetricsServiceServer
	mu      sync.Mutex
	answer  Answer
	got     []*Request
	changed chan struct{} // closed when something was got
	stop    func()
}

// Start begins to receive over gRPC, on a port of its own, until the test ends.
// Options of the server bring TLS.
func Start(t testing.TB, opts ...grpc.ServerOption) *Receiver {
	t.Helper()
	return StartAt(t, "127.0.0.1:0", opts...)
}

// StartAt is Start on a given address.
func StartAt(t testing.TB, addr string, opts ...grpc.ServerOption) *Receiver {
	t.Helper()
	r, l := listen(t, addr)
	server := grpc.NewServer(opts...)
	collector.RegisterMetricsServiceServer(server, r)
	r.serve(t, func() { _ = server.Serve(l) }, server.Stop)
	return r
}

// StartHTTP begins to receive over HTTP, in binary protobuf at /v1/metrics.
func StartHTTP(t testing.TB) *Receiver {
	t.Helper()
	r, l := listen(t, "127.0.0.1:0")
	mux := http.NewServeMux()
	mux.Handle("POST /v1/metrics", r)
	server := &http.Server{Handler: mux}
	r.serve(t, func() { _ = server.Serve(l) }, func() { _ = server.Close() })
	return r
}

func listen(t testing.TB, addr string) (*Receiver, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return &Receiver{Addr: l.Addr().String(), changed: make(chan struct{})}, l
}

func (r *Receiver) serve(t testing.TB, run, stop func()) {
	done := make(chan struct{})
	go func() { defer close(done); run() }()
	r.stop = sync.OnceFunc(func() { stop(); <-done })
	t.Cleanup(r.stop)
}

// Stop closes the port and all connections. Calling it again does nothing.
func (r *Receiver) Stop() { r.stop() }

// Answer sets who decides on requests from now on; nil takes all.
func (r *Receiver) Answer(a Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = a
}

// Export is the gRPC method.
func (r *Receiver) Export(ctx context.Context, req *Request) (*Response, error) {
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	resp := &Response{}
	if answer != nil {
		special, err := answer(ctx, req)
		if err != nil {
			return nil, err
		}
		if special != nil {
			resp = special
		}
	}
	r.keep(req)
	return resp, nil
}

// ServeHTTP is the same over HTTP.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, h *http.Request) {
	req := &Request{}
	body, err := io.ReadAll(h.Body)
	if err != nil || proto.Unmarshal(body, req) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	resp, err := r.Export(h.Context(), req)
	if err != nil {
		w.WriteHeader(httpStatus(status.Code(err)))
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	b, _ := proto.Marshal(resp)
	_, _ = w.Write(b)
}

func httpStatus(code codes.Code) int {
	switch code {
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusRequestEntityTooLarge
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	}
	return http.StatusInternalServerError
}

func (r *Receiver) keep(req *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, req)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Requests returns what has been taken so far.
func (r *Receiver) Requests() []*Request {
	got, _ := r.state()
	return got
}

func (r *Receiver) state() ([]*Request, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Request(nil), r.got...), r.changed
}

// WaitFor returns the requests taken when enough says yes to them, and fails the
// test if that does not come within [Patience].
func (r *Receiver) WaitFor(t testing.TB, what string, enough func([]*Request) bool) []*Request {
	t.Helper()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		got, changed := r.state()
		if enough(got) {
			return got
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("no %s within %v, in %d requests", what, Patience, len(got))
		}
	}
}

// AtLeast is for [Receiver.WaitFor]: n requests.
func AtLeast(n int) func([]*Request) bool {
	return func(got []*Request) bool { return len(got) >= n }
}
