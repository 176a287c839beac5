package health

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
)

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:13133": "127.0.0.1:13133", ":13133": "127.0.0.1:13133", "localhost:1": "127.0.0.1:1", "[::1]:0": "[::1]:0", "0.0.0.0:80": "0.0.0.0:80",
		"": "is no address", "13133": "is no address", "host:1": "is no IP address; write 127.0.0.1:1", "127.0.0.1:": "is not a number", "127.0.0.1:65536": "is not a number",
		"127.0.0.1:http": "is not a number", "::1:5": "is no address",
	} {
		at, err := Address(text)
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && at.String() != want {
			t.Errorf("%q: %v, %v; want %s", text, at, err, want)
		}
	}
}

// Each path fails for its own reasons: what is to be expected is none of them.
func TestReports(t *testing.T) {
	now := time.Now()
	whole := instrumentation.Health{Passes: 3, At: now, Took: time.Second, Sources: []instrumentation.SourceHealth{{Name: "a"}}}
	delivered := exporter.Stats{Points: 5, LastSuccess: now}
	with := func(change func(*instrumentation.Health)) instrumentation.Health {
		h := whole
		change(&h)
		return h
	}
	source := func(state instrumentation.State) func(*instrumentation.Health) {
		return func(h *instrumentation.Health) {
			h.Sources = []instrumentation.SourceHealth{{Name: "a", State: state, Missed: map[string]uint32{"denied": 7}}}
		}
	}
	failed := exporter.Stats{Points: 5, LastSuccess: now, LastError: errors.New("refused")}
	for _, test := range []struct {
		name               string
		health             instrumentation.Health
		stats              exporter.Stats
		begun              time.Time
		idle               bool
		healthz, readyz    string // the reason, or "" for ok
		exporter, firstOne string // states
	}{
		{"all is well", whole, delivered, now, false, "", "", "ok", "ok"},
		{"partial", with(source(instrumentation.Partial)), delivered, now, false, "", "", "ok", "partial"},
		{"a source fails", with(source(instrumentation.Failing)), delivered, now, false, "a is failing", "", "ok", "failing"},
		{"just begun", instrumentation.Health{}, exporter.Stats{}, now, false, "", "nothing has been delivered", "starting", ""},
		{"never begun", instrumentation.Health{}, exporter.Stats{}, now.Add(-time.Hour), false, "no pass for 1h0m0s", "nothing has been delivered", "starting", ""},
		{"passes ceased", with(func(h *instrumentation.Health) { h.At = now.Add(-2 * time.Minute) }), delivered, now.Add(-time.Hour), false, "no pass for 2m0s", "", "ok", "ok"},
		{"cut", with(func(h *instrumentation.Health) { h.Cut = true }), delivered, now, false, "did not get to its end", "", "ok", "ok"},
		{"outage", whole, failed, now, false, "", "the last delivery failed", "failing", "ok"},
		{"never delivered", whole, exporter.Stats{LastError: errors.New("refused")}, now, false, "", "the last delivery failed", "failing", "ok"},
		{"events only fail", whole, exporter.Stats{LastSuccess: now, LastEventError: errors.New("404")}, now, false, "", "", "ok", "ok"},
		{"idle", instrumentation.Health{}, exporter.Stats{}, now.Add(-time.Hour), true, "", "", "idle", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Subject{Health: func() instrumentation.Health { return test.health }, Stats: func() exporter.Stats { return test.stats },
				Overdue: time.Minute, Begun: test.begun, Idle: test.idle}
			for path, want := range map[string]string{"/healthz": test.healthz, "/readyz": test.readyz} {
				r := s.Read()
				if path == "/readyz" {
					r = s.Deliver()
				}
				if (r.Status == "ok") != (want == "") || !strings.Contains(strings.Join(r.Reasons, "; "), want) {
					t.Errorf("%s: %s, %v; want %q", path, r.Status, r.Reasons, want)
				}
				if r.Exporter.State != test.exporter || len(r.Sources) > 0 && r.Sources[0].State != test.firstOne {
					t.Errorf("%s: %+v", path, r)
				}
			}
		})
	}
}

func TestServer(t *testing.T) {
	s := &Subject{Health: func() instrumentation.Health { return instrumentation.Health{} }, Stats: func() exporter.Stats { return exporter.Stats{} },
		Overdue: time.Minute, Begun: time.Now(), Endpoint: "http://c:1"}
	server, err := Serve(netip.MustParseAddrPort("127.0.0.1:0"), s)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + server.Addr.String()
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 404, "/metrics": 404, "/healthz/x": 404} {
		answer, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("%s: status %d, want %d", path, answer.StatusCode, status)
		}
		var r Report
		if status != 404 && (json.Unmarshal(body, &r) != nil || r.Exporter.Endpoint != "http://c:1" || answer.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if answer, err := http.Post(base+"/healthz", "text/plain", nil); err != nil || answer.StatusCode != 405 {
		t.Errorf("POST: %v, %v", answer, err)
	}
	if _, err := Serve(netip.MustParseAddrPort(server.Addr.String()), s); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("twice on one port: %v", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(base + "/healthz"); err == nil {
		t.Error("it answers after Stop")
	}
}

// The keys of the body are what people write into their probes: a new name is a
// decision.
func TestKeys(t *testing.T) {
	s := &Subject{Health: func() instrumentation.Health { return instrumentation.Health{} }, Stats: func() exporter.Stats { return exporter.Stats{} }}
	text, err := json.Marshal(s.Read())
	var keys map[string]any
	if err != nil || json.Unmarshal(text, &keys) != nil {
		t.Fatal(err)
	}
	want := map[string]any{"status": "failing", "version": instrumentation.Version, "sources": []any{}, "reasons": keys["reasons"],
		"pass":     map[string]any{"count": 0.0, "seconds": 0.0, "whole": false},
		"exporter": map[string]any{"state": "starting", "endpoint": "", "points": keys["exporter"].(map[string]any)["points"], "events": keys["exporter"].(map[string]any)["events"]}}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("%s", text)
	}
}
