package producer_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// A producer reports itself as instruments do: every metric of the table, of the kind
// that the table says, but for misses where there were none, and events that
// nobody asked for.
func TestSelfObservation(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		options := []instrumentation.Option{instrumentation.WithProcesses(instrumentation.None), instrumentation.WithMetrics("-*", "system.uptime")}
		if wanted {
			options = append(options, instrumentation.WithSelfObservation())
		}
		p, err := producer.New(options...)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("no backend for this system")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		scopes, err := p.Produce(t.Context())
		if err != nil || len(scopes) != 1 {
			t.Fatalf("%d scopes, %v", len(scopes), err)
		}
		found := map[string]metricdata.Metrics{}
		for _, m := range scopes[0].Metrics {
			found[m.Name] = m
		}
		for _, m := range instrumentation.SelfMetrics() {
			got, ok := found[m.Name]
			if m.Name == "pidometer.file_descriptor.count" && runtime.GOOS == "windows" {
				continue // which has handles
			}
			if ok != wanted && m.Name != "pidometer.source.misses" && !strings.HasPrefix(m.Name, "pidometer.event.") {
				t.Errorf("%s is there: %v, want %v", m.Name, ok, wanted)
			}
			if ok && (got.Unit != m.Unit || got.Description != m.Brief) {
				t.Errorf("%+v, want %+v", got, m)
			}
		}
		if h := p.Health(); wanted && (h.Passes != 1 || len(h.Sources) == 0 || h.Sources[0].State != instrumentation.Fine) {
			t.Errorf("%+v", h)
		}
	}
}
