// Package otlptest is an OTLP receiver for tests, over gRPC or HTTP, that does
// not only work: it can refuse, wait and complain.
package otlptest

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // so that the server takes it
	"google.golang.org/grpc/metadata"
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
	mu        sync.Mutex
	answer    Answer
	onEvents  EventsAnswer
	got       []*Request
	gotEvents []*EventsRequest
	changed   chan struct{} // closed when something was got
	stop      func()
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
	logs.RegisterLogsServiceServer(server, eventsService{receiver: r})
	r.serve(t, func() { _ = server.Serve(l) }, server.Stop)
	return r
}

// StartHTTP begins to receive over HTTP, in binary protobuf at /v1/metrics and
// /v1/logs.
func StartHTTP(t testing.TB) *Receiver {
	t.Helper()
	return StartHTTPAt(t, "127.0.0.1:0", nil)
}

// StartHTTPAt is StartHTTP on a given address, and over TLS if config is not nil.
func StartHTTPAt(t testing.TB, addr string, config *tls.Config) *Receiver {
	t.Helper()
	r, l := listen(t, addr)
	mux := http.NewServeMux()
	mux.Handle("POST /v1/metrics", r)
	mux.HandleFunc("POST /v1/logs", r.serveEvents)
	server := &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	if config != nil {
		l = tls.NewListener(l, config)
	}
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
	if read(w, h, req) {
		resp, err := r.Export(withHeaders(h), req)
		write(w, resp, err)
	}
}

// read decodes the body of a request, which may be compressed.
func read(w http.ResponseWriter, h *http.Request, req proto.Message) bool {
	var from io.Reader = h.Body
	var err error
	if h.Header.Get("Content-Encoding") == "gzip" {
		from, err = gzip.NewReader(h.Body)
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(from)
	}
	if err != nil || proto.Unmarshal(body, req) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return false
	}
	return true
}

// withHeaders shows headers as gRPC does.
func withHeaders(h *http.Request) context.Context {
	md := metadata.MD{}
	for name, values := range h.Header {
		md.Append(name, values...)
	}
	return metadata.NewIncomingContext(h.Context(), md)
}

func write(w http.ResponseWriter, resp proto.Message, err error) {
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
	case codes.Unimplemented:
		return http.StatusNotFound
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

func (r *Receiver) keep(req *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, req)
	r.tell()
}

func (r *Receiver) tell() {
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
	return waitFor(t, what, r.state, enough)
}

// waitFor is for both payloads.
func waitFor[R any](t testing.TB, what string, state func() ([]R, <-chan struct{}), enough func([]R) bool) []R {
	t.Helper()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		got, changed := state()
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
