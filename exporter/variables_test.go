package exporter

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/scratch"
)

// clientPair makes a certificate for a client, and returns the files of it and of its
// key, and a pool that holds its authority, which is itself.
func clientPair(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := scratch.Dir(t)
	certificate, key = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	write := func(name, kind string, der []byte) []byte {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return text
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(write(certificate, "CERTIFICATE", der))
	write(key, "PRIVATE KEY", secret)
	return certificate, key, pool
}

// traffic is what a receiver saw of headers and of compression.
type traffic struct {
	mu      sync.Mutex
	headers map[payload]metadata.MD
	zipped  map[string]bool // by gRPC method
}

func (c *traffic) note(ctx context.Context, what payload) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers[what], _ = metadata.FromIncomingContext(ctx)
}

// TagRPC, HandleRPC, TagConn and HandleConn make it a [stats.Handler]: gRPC hides
// from its services how a message was encoded.
func (c *traffic) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (c *traffic) HandleRPC(_ context.Context, s stats.RPCStats) {
	if h, ok := s.(*stats.InHeader); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.zipped[h.FullMethod] = h.Compression == "gzip"
	}
}
func (c *traffic) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *traffic) HandleConn(context.Context, stats.ConnStats)                       {}

// compressed reports whether requests with a payload were.
func (c *traffic) compressed(what payload, p protocol) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p == protocolHTTP {
		return strings.Join(c.headers[what].Get("content-encoding"), "") == "gzip"
	}
	service := map[payload]string{metricsPayload: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
		eventsPayload: "/opentelemetry.proto.collector.logs.v1.LogsService/Export"}
	return c.zipped[service[what]]
}

// secured starts a receiver over TLS that takes nobody without a certificate of the
// pool.
func secured(t *testing.T, p protocol, pair tls.Certificate, pool *x509.CertPool, seen *traffic) *otlptest.Receiver {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if pool != nil {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool
	}
	var r *otlptest.Receiver
	if p == protocolHTTP {
		r = otlptest.StartHTTPAt(t, "127.0.0.1:0", config)
	} else {
		r = otlptest.Start(t, grpc.Creds(credentials.NewTLS(config)), grpc.StatsHandler(seen))
	}
	r.Answer(func(ctx context.Context, _ *otlptest.Request) (*otlptest.Response, error) {
		seen.note(ctx, metricsPayload)
		return nil, nil
	})
	r.AnswerEvents(func(ctx context.Context, _ *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
		seen.note(ctx, eventsPayload)
		return nil, nil
	})
	return r
}

// TestTransportVariables sends metrics and events over TLS, with a certificate of our
// own, headers and compression, as the variables say, in both protocols and with
// both identities.
func TestTransportVariables(t *testing.T) {
	authority, pair := certificate(t)
	ours, key, pool := clientPair(t)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", authority)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", ours)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", key)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "token=t%20t, Tenant = a=b ,")
	t.Setenv("OTEL_EXPORTER_OTLP_INSECURE", "true") // the scheme wins
	for _, p := range []protocol{protocolGRPC, protocolHTTP} {
		for _, identity := range []Identity{IdentityPoint, IdentityResource} {
			for _, compression := range []string{"gzip", "none", ""} {
				t.Run(string(p)+" "+string(identity)+" "+compression, func(t *testing.T) {
					t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(p))
					t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
					seen := &traffic{headers: map[payload]metadata.MD{}, zipped: map[string]bool{}}
					r := secured(t, p, pair, pool, seen)
					exp := start(t, WithEndpoint("https://"+r.Addr), WithScopes(scopeName), WithIdentity(identity))
					gauge(t, exp, scopeName, "x", 1)
					emit(exp, 0, 1)
					flush(t, exp)
					for _, what := range []payload{metricsPayload, eventsPayload} {
						h := seen.headers[what]
						if strings.Join(h.Get("token"), "|") != "t t" || strings.Join(h.Get("tenant"), "|") != "a=b" {
							t.Errorf("%v: headers %v", what, h)
						}
						if got := seen.compressed(what, p); got != (compression == "gzip") {
							t.Errorf("%v: compressed %v", what, got)
						}
					}
				})
			}
		}
	}
}

// TestVariablesOfOnePayload win for it, and leave the other alone.
func TestVariablesOfOnePayload(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "token=general")
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "token=logs")
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip")
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", string(protocolHTTP))
	authority, pair := certificate(t)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", authority)
	seen := &traffic{headers: map[payload]metadata.MD{}, zipped: map[string]bool{}}
	forMetrics, forEvents := secured(t, protocolGRPC, pair, nil, seen), secured(t, protocolHTTP, pair, nil, seen)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://"+forMetrics.Addr)
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://"+forEvents.Addr+"/v1/logs")
	exp := start(t)
	gauge(t, exp, scopeName, "x", 1)
	emit(exp, 0, 1)
	flush(t, exp)
	if len(forMetrics.Requests()) != 1 || len(forEvents.EventRequests()) != 1 {
		t.Fatalf("%d and %d requests", len(forMetrics.Requests()), len(forEvents.EventRequests()))
	}
	for what, want := range map[payload]string{metricsPayload: "general", eventsPayload: "logs"} {
		if got := seen.headers[what].Get("token"); len(got) != 1 || got[0] != want {
			t.Errorf("%v: token %v", what, got)
		}
	}
	if !seen.compressed(metricsPayload, protocolGRPC) || seen.compressed(eventsPayload, protocolHTTP) {
		t.Error("the wrong one is compressed")
	}
}

// TestEventsEndpoint is found beside that of the metrics.
func TestEventsEndpoint(t *testing.T) {
	for _, tc := range []struct {
		option string
		env    map[string]string
		want   string
	}{
		{"", nil, "http://localhost:4317"},
		{"http://h:1", nil, "http://h:1"},
		{"", map[string]string{"ENDPOINT": "http://h:1", "PROTOCOL": "http/protobuf"}, "http://h:1/v1/logs"},
		{"", map[string]string{"ENDPOINT": "http://h:1/base", "PROTOCOL": "http/protobuf"}, "http://h:1/base/v1/logs"},
		{"http://h:1/base/v1/metrics/", map[string]string{"PROTOCOL": "http/protobuf"}, "http://h:1/base/v1/logs"},
		{"http://h:1/base/v1/logs", map[string]string{"PROTOCOL": "http/protobuf"}, "http://h:1/base/v1/logs"},
		{"", map[string]string{"LOGS_ENDPOINT": "http://h:2/x", "ENDPOINT": "http://h:1", "PROTOCOL": "http/protobuf"}, "http://h:2/x"},
		{"", map[string]string{"METRICS_ENDPOINT": "http://h:2", "ENDPOINT": "http://h:1"}, "http://h:1"},
		{"", map[string]string{"LOGS_PROTOCOL": "json"}, `OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="json" is unknown; write grpc or http/protobuf`},
	} {
		t.Run(tc.want, func(t *testing.T) {
			for name, value := range tc.env {
				t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
			}
			if said := resultOf(findEndpoint(eventsPayload, tc.option)); said != tc.want {
				t.Errorf("%s, want %s", said, tc.want)
			}
		})
	}
}

// TestVariablesAreChecked at the start, and no secret is shown.
func TestVariablesAreChecked(t *testing.T) {
	authority, _ := certificate(t)
	missing := filepath.Join(scratch.Dir(t), "missing")
	empty := filepath.Join(scratch.Dir(t), "empty")
	if err := os.WriteFile(empty, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"CERTIFICATE": missing}, "OTEL_EXPORTER_OTLP_CERTIFICATE: open"},
		{map[string]string{"LOGS_CERTIFICATE": empty}, "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE: " + empty + " holds no certificate"},
		{map[string]string{"CLIENT_CERTIFICATE": authority}, "OTEL_EXPORTER_OTLP_CLIENT_KEY belong together"},
		{map[string]string{"CLIENT_CERTIFICATE": authority, "CLIENT_KEY": empty}, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and"},
		{map[string]string{"HEADERS": "hunter2"}, "OTEL_EXPORTER_OTLP_HEADERS: entry 1 is no header; write key=value"},
		{map[string]string{"HEADERS": "a=b,c c=hunter2"}, "entry 2 is no header"},
		{map[string]string{"HEADERS": "a=hunter2%"}, "the value of a is no header value"},
		{map[string]string{"HEADERS": "a=hunter2%0A"}, "the value of a is no header value"},
		{map[string]string{"METRICS_COMPRESSION": "zip"}, `OTEL_EXPORTER_OTLP_METRICS_COMPRESSION="zip" is unknown; write gzip or none`},
		{map[string]string{"TIMEOUT": "10s"}, `OTEL_EXPORTER_OTLP_TIMEOUT="10s" is no number of milliseconds`},
		{map[string]string{"TIMEOUT": "-1"}, "is no number of milliseconds"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			for name, value := range tc.env {
				t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
			}
			_, err := New(t.Context(), WithEndpoint("https://h:1"))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
				t.Error(err)
			}
		})
	}
	for name, value := range map[string]string{"OTEL_BLRP_MAX_QUEUE_SIZE": "0", "OTEL_BLRP_SCHEDULE_DELAY": "x", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "-5"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := New(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
				t.Error(err)
			}
		})
	}
	if _, err := New(t.Context(), WithEventQueue(0, 1)); err == nil || !strings.Contains(err.Error(), "event queue") {
		t.Error(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", missing)
	start(t, WithEndpoint("http://h:1")) // plaintext asks no authority
}
