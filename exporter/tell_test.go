package exporter

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/scratch"
)

// TestOutage is down from the start, comes up, goes down, comes up: two lines each.
func TestOutage(t *testing.T) {
	told := &book{}
	first := otlptest.Start(t)
	first.Stop()
	exp := start(t, WithEndpoint(first.Addr), WithTimeout(300*time.Millisecond), WithLogger(told.logger()))
	gauge(t, exp, scopeName, "x", 1)
	for range 3 {
		if exp.ForceFlush(t.Context()) == nil {
			t.Fatal("nobody is there, but all went well")
		}
	}
	down := told.lines("level=WARN", "metrics are not delivered", "endpoint="+first.Addr, "nothing listens at", "start the receiver")
	if len(down) != 1 || len(told.lines()) != 1 {
		t.Errorf("down: %q", told.lines())
	}
	second := otlptest.StartAt(t, first.Addr)
	heal(t, exp)
	up := told.lines("level=INFO", "metrics are delivered again", "lost_passes=", "lost_points=")
	if len(up) != 1 || len(told.lines()) != 2 {
		t.Errorf("up: %q", told.lines())
	}
	second.Answer(otlptest.Refuse(codes.Unauthenticated))
	for range 3 {
		if exp.ForceFlush(t.Context()) == nil {
			t.Fatal("refused, but all went well")
		}
	}
	second.Answer(nil)
	heal(t, exp)
	if len(told.lines()) != 4 || len(told.lines("level=WARN", "OTEL_EXPORTER_OTLP_HEADERS")) != 1 || !strings.Contains(told.lines()[3], "lost_passes=3 lost_points=3") {
		t.Errorf("%q", told.lines())
	}
	s := exp.Stats()
	if s.LastError != nil || s.Failed < 6 || s.Lost != s.Failed || s.Passes != s.Failed+s.Points {
		t.Errorf("%+v", s)
	}
}

// heal flushes until that works: gRPC connects anew when its backoff says so.
func heal(t *testing.T, exp *Exporter) {
	t.Helper()
	for end := time.Now().Add(otlptest.Patience); ; {
		err := exp.ForceFlush(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// TestOutageInsideTheExporter is one that its retries get over.
func TestOutageInsideTheExporter(t *testing.T) {
	told, receiver := &book{}, otlptest.Start(t)
	var calls atomic.Int32
	receiver.Answer(func(context.Context, *otlptest.Request) (*otlptest.Response, error) {
		if calls.Add(1) == 1 {
			return nil, status.Error(codes.Unavailable, "not yet")
		}
		return nil, nil
	})
	exp := start(t, WithEndpoint(receiver.Addr), WithLogger(told.logger()))
	gauge(t, exp, scopeName, "x", 1)
	begin := time.Now()
	flush(t, exp)
	if took := time.Since(begin); took > 3*time.Second || len(told.lines()) != 0 {
		t.Errorf("%v, %q", took, told.lines())
	}
}

func TestWithoutLogger(t *testing.T) {
	var told []error
	defer otel.SetErrorHandler(otel.GetErrorHandler())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { told = append(told, err) }))
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	exp := start(t, WithEndpoint(receiver.Addr), WithLogger(nil))
	gauge(t, exp, scopeName, "x", 1)
	for range 3 {
		_ = exp.ForceFlush(t.Context())
	}
	if len(told) != 1 || status.Code(told[0]) != codes.InvalidArgument {
		t.Errorf("%v", told)
	}
}

func TestPartialSuccess(t *testing.T) {
	for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
			told, receiver := &book{}, otlptest.Start(t)
			if protocol == protocolHTTP {
				receiver = otlptest.StartHTTP(t)
			}
			receiver.Answer(otlptest.Partial(3, "too (many)\nlabels"))
			exp := start(t, WithEndpoint(receiver.Addr), WithLogger(told.logger()))
			fill(t, exp, 10, 1)
			flush(t, exp)
			flush(t, exp)
			if s := exp.Stats(); s.Refused != 6 || s.Points != 14 || s.Failed != 0 {
				t.Errorf("%+v", s)
			}
			receiver.Answer(otlptest.Partial(0, "a mere warning"))
			flush(t, exp)
			if s := exp.Stats(); s.Refused != 6 || s.Points != 24 {
				t.Errorf("%+v", s)
			}
			if len(told.lines()) != 1 || len(told.lines("level=WARN", "too (many); labels", "refused=3")) != 1 {
				t.Errorf("%q", told.lines())
			}
		})
	}
}

// TestRemedies meets each mistake for real.
func TestRemedies(t *testing.T) {
	authority, pair := certificate(t)
	trusting := map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": authority}
	secure := grpc.Creds(credentials.NewServerTLSFromCert(&pair))
	mutual := grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert}))
	overGRPC := func(opts ...grpc.ServerOption) func(t *testing.T) string {
		return func(t *testing.T) string { return otlptest.Start(t, opts...).Addr }
	}
	overHTTP := func(t *testing.T) string { return otlptest.StartHTTP(t).Addr }
	const http1 = "http/protobuf"
	for _, tc := range []struct {
		name, scheme, protocol string
		server                 func(*testing.T) string
		env                    map[string]string
		want                   string
	}{
		{"TLS where none is", "https://", "grpc", overGRPC(), nil, "speaks no TLS; write http://"},
		{"TLS where none is, HTTP", "https://", http1, overHTTP, nil, "speaks no TLS; write http://"},
		{"no TLS where some is", "http://", "grpc", overGRPC(secure), nil, "seems to want TLS; write https://"},
		{"no TLS where some is, HTTP", "http://", http1, tlsHTTP, nil, "seems to want TLS; write https://"},
		{"unknown authority", "https://", "grpc", overGRPC(secure), nil, "OTEL_EXPORTER_OTLP_CERTIFICATE"},
		{"unknown authority, HTTP", "https://", http1, tlsHTTP, nil, "OTEL_EXPORTER_OTLP_CERTIFICATE"},
		{"client certificate", "https://", "grpc", overGRPC(mutual), trusting, "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
		{"gRPC to HTTP", "http://", "grpc", overHTTP, nil, "looks like the OTLP/HTTP port; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"},
		{"HTTP to gRPC", "http://", http1, overGRPC(), nil, "looks like the OTLP/gRPC port; set OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
		{"wrong path", "http://", http1, notFound, nil, "check the path"},
		{"not OTLP", "http://", "grpc", otherGRPC, nil, "takes no metrics over gRPC; check the port"},
		{"black hole", "http://", "grpc", blackHole, nil, "does not answer in time"},
		{"black hole, HTTP", "http://", http1, blackHole, nil, "does not answer in time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", tc.protocol)
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			url := tc.scheme + tc.server(t)
			// On a busy machine a short time may end before the receiver's answer.
			lines := toldOf(t, url, 400*time.Millisecond)
			for timeout := time.Second; timeout < time.Minute && !strings.Contains(strings.Join(lines, ""), tc.want); timeout *= 4 {
				lines = toldOf(t, url, timeout)
			}
			if len(lines) != 1 || !strings.Contains(lines[0], tc.want) {
				t.Errorf("%q", lines)
			}
		})
	}
}

// toldOf returns what is told of one pass to an endpoint that doesn't take it.
func toldOf(t *testing.T, url string, timeout time.Duration) []string {
	t.Helper()
	told := &book{}
	exp := start(t, WithEndpoint(url), WithLogger(told.logger()), WithTimeout(timeout))
	gauge(t, exp, scopeName, "x", 1)
	if exp.ForceFlush(t.Context()) == nil {
		t.Error("all went well")
	}
	return told.lines()
}

func TestRemedyTexts(t *testing.T) {
	here := endpoint{host: "h:1", protocol: protocolHTTP, path: "/x"}
	for text, want := range map[string]string{
		"lookup h: no such host":                                    "does not resolve",
		"x509: certificate has expired or is not yet valid":         "check name and date",
		"failed to send metrics to http://h:1: 401 Unauthorized ()": "credentials",
		"failed to send metrics to http://h:1: 404 Not Found ()":    "h:1/x; check the path",
		"who knows": "check that h:1 is up",
	} {
		if got := remedy(errors.New(text), here); !strings.Contains(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := remedy(errors.New("who knows"), endpoint{}); got != "check that the receiver is up and takes OTLP" {
		t.Error(got)
	}
}

// TestVariablesAreKept sends with an endpoint by option, and everything else by the
// variables that the SDK reads.
func TestVariablesAreKept(t *testing.T) {
	authority, pair := certificate(t)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", authority)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "token=t%20t")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	t.Setenv("OTEL_EXPORTER_OTLP_INSECURE", "true")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://nobody.invalid:1")
	plain := otlptest.Start(t)
	secure := otlptest.Start(t, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	for _, receiver := range []*otlptest.Receiver{plain, secure} {
		var seen metadata.MD
		receiver.Answer(func(ctx context.Context, _ *otlptest.Request) (*otlptest.Response, error) {
			seen, _ = metadata.FromIncomingContext(ctx)
			return nil, nil
		})
		scheme := "http://"
		if receiver == secure {
			scheme = "https://"
		}
		exp := start(t, WithEndpoint(scheme+receiver.Addr))
		gauge(t, exp, scopeName, "x", 1)
		flush(t, exp)
		if got := seen.Get("token"); len(got) != 1 || got[0] != "t t" {
			t.Errorf("%s: headers %v", scheme, seen)
		}
	}
}

func tlsHTTP(t *testing.T) string {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "https://")
}

func notFound(t *testing.T) string {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// otherGRPC is a gRPC server that knows no service.
func otherGRPC(t *testing.T) string {
	l := listen(t)
	s := grpc.NewServer()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// blackHole takes connections and says nothing.
func blackHole(t *testing.T) string { return listen(t).Addr().String() }

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// certificate makes one for 127.0.0.1 and writes its authority, itself, to a file.
func certificate(t *testing.T) (file string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(scratch.Dir(t), "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
