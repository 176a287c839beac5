package exporter

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // registers the compressor
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// carrier takes one request with events to the receiver, once: when to try again is
// the [sender]'s business. The SDK's exporters of logs are not used. They hide how
// many records a receiver refused and how long it wants to be left alone in types of
// their own, lose the order of records of several scopes, and cannot send a record of
// which the resource has been repaired (otlploggrpc v0.23.0, sdk/log v1.47.0).
type carrier interface {
	carry(context.Context, *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error)
	// connected returns a channel that is closed when there is a connection again; nil
	// if there is one, or if nobody can tell. Nobody waits longer than ctx.
	connected(ctx context.Context) <-chan struct{}
	close() error
}

func newCarrier(e endpoint, v variables) (carrier, error) {
	if e.protocol == protocolHTTP {
		return newHTTPCarrier(e, v), nil
	}
	return newGRPCCarrier(e, v)
}

type grpcCarrier struct {
	conn    *grpc.ClientConn
	service collector.LogsServiceClient
	headers metadata.MD
}

// connecting is how connections are made and made anew, of both payloads. A pause
// between two attempts cannot be ended early: ResetConnectBackoff reads a map that a
// new connection writes (grpc v1.85.0, seen by the race detector on 2026-11-23).
func connecting() grpc.DialOption {
	return grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: firstRetry, Multiplier: 1.6, Jitter: 0.2, MaxDelay: lastRetry},
		MinConnectTimeout: 4 * lastRetry,
	})
}

func newGRPCCarrier(e endpoint, v variables) (carrier, error) {
	security := insecure.NewCredentials()
	if e.tls {
		security = credentials.NewTLS(v.tls)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(security), connecting(), grpc.WithUserAgent(userAgent)}
	if v.gzip {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip")))
	}
	conn, err := grpc.NewClient(e.host, options...)
	if err != nil {
		return nil, err
	}
	return &grpcCarrier{conn, collector.NewLogsServiceClient(conn), metadata.New(v.headers)}, nil
}

// userAgent is how requests with events name their sender.
const userAgent = "pidometer-exporter"

func (c *grpcCarrier) carry(ctx context.Context, r *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
	return c.service.Export(metadata.NewOutgoingContext(ctx, c.headers), r)
}

func (c *grpcCarrier) close() error { return c.conn.Close() }
func (c *grpcCarrier) connected(ctx context.Context) <-chan struct{} {
	if c.conn.GetState() == connectivity.Ready {
		return nil
	}
	ready := make(chan struct{})
	go func() {
		for state := c.conn.GetState(); state != connectivity.Ready; state = c.conn.GetState() {
			c.conn.Connect() // when it is idle; otherwise it does so by itself
			if !c.conn.WaitForStateChange(ctx, state) {
				return
			}
		}
		close(ready)
	}()
	return ready
}

type httpCarrier struct {
	client  *http.Client
	url     string
	headers map[string]string
	gzip    bool
}

// newTransport is how requests are made over HTTP: as by default, with the proxy
// that the environment names, and the certificates that it names.
func newTransport(v variables) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = v.tls
	return t
}

func newHTTPCarrier(e endpoint, v variables) carrier {
	return &httpCarrier{&http.Client{Transport: newTransport(v)}, e.url(), v.headers, v.gzip}
}

func (c *httpCarrier) connected(context.Context) <-chan struct{} { return nil }
func (c *httpCarrier) close() error {
	c.client.CloseIdleConnections()
	return nil
}

func (c *httpCarrier) carry(ctx context.Context, r *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRequest))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, newHTTPError(answer, body)
	}
	taken := &collector.ExportLogsServiceResponse{}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), protobufType) {
		// What cannot be read was taken nevertheless: the status says so.
		_ = proto.Unmarshal(body, taken)
	}
	return taken, nil
}

const protobufType = "application/x-protobuf"

func (c *httpCarrier) request(ctx context.Context, r *collector.ExportLogsServiceRequest) (*http.Request, error) {
	body, err := proto.Marshal(r)
	if err != nil {
		return nil, err
	}
	if c.gzip {
		body = compress(body)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", userAgent)
	for key, value := range c.headers {
		request.Header.Set(key, value)
	}
	request.Header.Set("Content-Type", protobufType)
	if c.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	return request, nil
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// httpError is an answer that is no success.
type httpError struct {
	code   int
	text   string // such as 404 Not Found, and what the receiver says of it
	pause  time.Duration
	paused bool // the receiver has said how long to wait
}

func (e *httpError) Error() string { return e.text }

func newHTTPError(answer *http.Response, body []byte) *httpError {
	e := &httpError{code: answer.StatusCode, text: answer.Status}
	if said := strings.TrimSpace(string(body)); said != "" && len(said) < 1000 {
		e.text = fmt.Sprintf("%s: %q", answer.Status, said)
	}
	e.pause, e.paused = retryAfter(answer.Header.Get("Retry-After"))
	return e
}

// retryAfter reads a pause in seconds, or until a date (RFC 9110, section 10.2.3).
func retryAfter(text string) (time.Duration, bool) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(time.Until(date), 0), true
	}
	return 0, false
}
