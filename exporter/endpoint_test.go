package exporter

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/otlptest"
)

func TestEndpointSpellings(t *testing.T) {
	for _, tc := range []struct {
		text     string
		protocol protocol
		want     string // URL, or a part of the error
	}{
		{"localhost:4317", protocolGRPC, "http://localhost:4317"},
		{"127.0.0.1:4317", protocolGRPC, "http://127.0.0.1:4317"},
		{"127.9.9.9", protocolGRPC, "http://127.9.9.9:4317"},
		{"[::1]:4317", protocolGRPC, "http://[::1]:4317"},
		{"[::1]", protocolGRPC, "http://[::1]:4317"},
		{"::1", protocolGRPC, "http://[::1]:4317"},
		{"[::ffff:127.0.0.1]:1", protocolGRPC, "http://[::ffff:127.0.0.1]:1"},
		{"LocalHost", protocolGRPC, "http://LocalHost:4317"},
		{"collector", protocolGRPC, "https://collector:4317"},
		{"collector:4317", protocolGRPC, "https://collector:4317"},
		{"10.0.0.7", protocolGRPC, "https://10.0.0.7:4317"},
		{"otel_collector.svc.:9", protocolGRPC, "https://otel_collector.svc.:9"},
		{" http://collector ", protocolGRPC, "http://collector:4317"},
		{"HTTP://collector:80/", protocolGRPC, "http://collector:80"},
		{"https://collector", protocolGRPC, "https://collector:443"},
		{"https://localhost:4317", protocolGRPC, "https://localhost:4317"},
		{"grpc://collector", protocolGRPC, "http://collector:4317"},
		{"grpcs://collector", protocolGRPC, "https://collector:4317"},
		{"grpcs://localhost", protocolGRPC, "https://localhost:4317"},
		{"grpc://collector", protocolHTTP, "http://collector:4317"},

		{"localhost", protocolHTTP, "http://localhost:4318/v1/metrics"},
		{"127.0.0.1:4318", protocolHTTP, "http://127.0.0.1:4318/v1/metrics"},
		{"http://collector", protocolHTTP, "http://collector:4318/v1/metrics"},
		{"https://api.example.com", protocolHTTP, "https://api.example.com:443/v1/metrics"},
		{"https://api.example.com/otlp", protocolHTTP, "https://api.example.com:443/otlp/v1/metrics"},
		{"http://prometheus:9090/api/v1/otlp/", protocolHTTP, "http://prometheus:9090/api/v1/otlp/v1/metrics"},
		{"http://victoria:8428/opentelemetry/v1/metrics", protocolHTTP, "http://victoria:8428/opentelemetry/v1/metrics"},
		{"localhost/x", protocolHTTP, "http://localhost:4318/x/v1/metrics"},

		{"", protocolGRPC, "is empty; write host:port"},
		{"http://", protocolGRPC, "is empty; write host:port"},
		{":4317", protocolGRPC, "has no host; write host:port"},
		{"http://:4317", protocolGRPC, "has no host"},
		{"host:", protocolGRPC, `port "" is not a number from 1 to 65535`},
		{"host:0", protocolGRPC, "not a number"},
		{"host:+1", protocolGRPC, "not a number"},
		{"host:65536", protocolGRPC, "not a number"},
		{"host:otlp", protocolGRPC, "not a number"},
		{"ftp://host", protocolGRPC, `scheme "ftp" is unknown; write http://`},
		{"://host", protocolGRPC, "https://host:4317"},
		{"unix:/run/otlp.sock", protocolGRPC, "not a number"},
		{"unix:///run/otlp.sock", protocolGRPC, "has no host"},
		{"http://user:secret@host", protocolGRPC, "OTEL_EXPORTER_OTLP_HEADERS"},
		{"host?x=1", protocolGRPC, "query"},
		{"a b", protocolGRPC, "character"},
		{"h\xffst", protocolGRPC, "character"},
		{"[::1", protocolGRPC, "brackets"},
		{"[127.0.0.1]", protocolGRPC, "brackets"},
		{"fe80::1:99999", protocolGRPC, "65535"},
		{"ho$t", protocolGRPC, "no host name"},
		{"host:4317/path", protocolGRPC, "gRPC has no path"},
	} {
		got, err := spelling{text: tc.text, protocol: tc.protocol}.parse()
		if said := resultOf(got, err); !strings.Contains(said, tc.want) || err == nil && said != tc.want {
			t.Errorf("%q over %s: %s, want %s", tc.text, tc.protocol, said, tc.want)
		}
	}
}

func resultOf(e endpoint, err error) string {
	if err != nil {
		return err.Error()
	}
	return e.url()
}

func TestEndpointErrorHidesThePassword(t *testing.T) {
	_, err := spelling{text: "http://user:secret@host"}.parse()
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestEndpointPrecedence(t *testing.T) {
	const general, own = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	for _, tc := range []struct {
		name, option string
		env          map[string]string
		want         string
	}{
		{"nothing", "", nil, "http://localhost:4317"},
		{"empty variables", "", map[string]string{general: "", own: " "}, "http://localhost:4317"},
		{"general", "", map[string]string{general: "127.0.0.1:99"}, "http://127.0.0.1:99"},
		{"own over general", "", map[string]string{general: "a:1", own: "b:2"}, "https://b:2"},
		{"option over all", "c", map[string]string{general: "a:1", own: "b:2"}, "https://c:4317"},
		{"insecure", "c", map[string]string{"OTEL_EXPORTER_OTLP_INSECURE": "TRUE"}, "http://c:4317"},
		{"insecure but https", "https://c", map[string]string{"OTEL_EXPORTER_OTLP_INSECURE": "true"}, "https://c:443"},
		{"secure loopback", "", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_INSECURE": "false"}, "https://localhost:4317"},
		{"http", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "http://localhost:4318/v1/metrics"},
		{"http base", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", general: "http://x/y"}, "http://x:4318/y/v1/metrics"},
		{"http whole", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", own: "http://x/y"}, "http://x:4318/y"},
		{"http whole, no path", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", own: "http://x"}, "http://x:4318/"},
		{"own protocol", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"}, "http://localhost:4317"},
		{"json", "", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, `OTEL_EXPORTER_OTLP_PROTOCOL="http/json" is unknown; write grpc or http/protobuf`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			if said := resultOf(findEndpoint(metricsPayload, tc.option)); said != tc.want {
				t.Errorf("%s, want %s", said, tc.want)
			}
		})
	}
}

// TestEndpointConnects sends over each spelling, by option and by variable.
func TestEndpointConnects(t *testing.T) {
	for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
		receiver := otlptest.Start(t)
		if protocol == protocolHTTP {
			receiver = otlptest.StartHTTP(t)
		}
		_, port, _ := net.SplitHostPort(receiver.Addr)
		for _, text := range []string{
			receiver.Addr, "http://" + receiver.Addr, "localhost:" + port, "http://localhost:" + port + "/",
		} {
			t.Run(string(protocol)+" "+strings.ReplaceAll(text, "/", "_"), func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
				before := len(receiver.Requests())
				byOption := start(t, WithEndpoint(text))
				gauge(t, byOption, scopeName, "x", 1)
				flush(t, byOption)
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", text)
				byVariable := start(t)
				gauge(t, byVariable, scopeName, "x", 1)
				flush(t, byVariable)
				if n := len(receiver.Requests()) - before; n != 2 {
					t.Errorf("%d requests arrived, want 2", n)
				}
			})
		}
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"localhost:4317", "[::1]:4317", "https://a/b", "grpc://x:1", "::1", "a@b", "[fe80::1%eth0]:1"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, http bool) {
		s := spelling{text: text, protocol: protocolGRPC}
		if http {
			s.protocol = protocolHTTP
		}
		e, err := s.parse()
		if err != nil {
			return
		}
		u, err := url.Parse(e.url())
		if err != nil || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.RawQuery != "" {
			t.Fatalf("%q became %q: %v", text, e.url(), err)
		}
		again, err := spelling{text: e.url(), protocol: e.protocol, whole: true}.parse()
		if err != nil || again.url() != e.url() || again.tls != e.tls {
			t.Errorf("%q became %q, and that %q: %v", text, e.url(), again.url(), err)
		}
	})
}
