package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// series is one result of a query: a sample, or several.
type series struct {
	Metric map[string]string
	Value  sample
	Values []sample
}

// sample is a time in seconds, and a value in text.
type sample [2]any

func (s sample) at() time.Time { return time.UnixMilli(int64(s[0].(float64)*1000 + 0.5)) }

func (s sample) value() float64 {
	v, _ := strconv.ParseFloat(s[1].(string), 64)
	return v
}

// receives is where the server takes OTLP, which is over HTTP only.
const receives = "/api/v1/otlp/v1/metrics"

var overHTTP = []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}

// get asks a server.
func get(t *testing.T, server, path string, form url.Values, data any) {
	t.Helper()
	r, err := http.Get(server + path + "?" + form.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %v %s", form, err, answer.Error)
	}
}

func query(t *testing.T, server, expression string, at time.Time) []series {
	t.Helper()
	var data struct{ Result []series }
	form := url.Values{"query": {expression}, "time": {fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000)}}
	get(t, server, "/api/v1/query", form, &data)
	return data.Result
}

// one returns the only result.
func one(t *testing.T, server, expression string, at time.Time) (s series) {
	t.Helper()
	all := query(t, server, expression, at)
	if len(all) != 1 {
		t.Fatalf("%s has %d results", expression, len(all))
	}
	return all[0]
}

// units is how the server writes a unit behind a name (the OpenTelemetry
// specification, "Prometheus and OpenMetrics Compatibility").
var units = map[string]string{
	"s": "seconds", "By": "bytes", "Hz": "hertz", "1": "ratio", "Cel": "celsius", "W": "watts",
	"V": "volts", "A": "amperes", "J": "joules", "m": "meters", "%": "percent", "d": "days", "h": "hours", "min": "minutes",
}

// serverName is what the server calls a metric.
func serverName(m metric) string {
	name := strings.NewReplacer(".", "_", "-", "_").Replace(m.Name)
	unit, per, _ := strings.Cut(m.Unit, "/")
	has := func(word string) bool { return slices.Contains(strings.Split(name, "_"), word) }
	if word := units[unit]; word != "" && !has(word) && (unit != "1" || m.Kind == "gauge") {
		name += "_" + word
	}
	if per == "s" {
		name += "_per_second"
	}
	if m.Kind == "counter" && !has("total") {
		name += "_total"
	}
	return name
}

// checkIncrease asks for the growth of each counter over the span, by the exact samples
// at its ends, and as a user would, over more than there is.
func checkIncrease(t *testing.T, w *witness, who, server string, pid int, labels string) {
	t.Helper()
	for i, c := range counters {
		selector := c.server
		if strings.Contains(selector, "%d") {
			selector = fmt.Sprintf(selector, pid)
		}
		if labels != "" {
			selector = strings.Replace(selector+"{}", "{", "{"+labels+",", 1)
			selector = strings.TrimSuffix(strings.Replace(selector, ",}", "}", 1), "{}")
		}
		samples := one(t, server, selector+"[10m]", time.Now()).Values
		first, last := samples[0].at(), samples[len(samples)-1].at()
		if want := int(span.Seconds()) * 3 / 4; len(samples) < want {
			t.Errorf("%s: %d samples of %s, want %d", who, len(samples), selector, want)
		}
		// Prometheus leaves the left end of a range out, so that it begins a
		// millisecond earlier.
		length := last.Sub(first).Milliseconds() + 1
		got := one(t, server, fmt.Sprintf("increase(%s[%dms])", selector, length), last).Value.value()
		w.check(t, who, i, first, last, got, 1e-4)
		// Over more than there is the server extrapolates by half an interval, and
		// not to the boot of the host.
		_, high, _ := w.grown(i, first, last)
		if over := one(t, server, fmt.Sprintf("increase(%s[8m])", selector), last).Value.value(); over > 1.05*high {
			t.Errorf("%s: increase over 8 minutes is %v, of %v", who, over, high)
		}
	}
}

// Every metric is there, counters grow as the kernel's do, and two hosts are two
// targets.
func TestPrometheus(t *testing.T) {
	asked(t)
	server := startPrometheus(t)
	pid := work(t)
	w := watch(t, pid)
	time.Sleep(2 * slack) // the witness has to be first
	first := sender(t, server+receives, overHTTP)
	second := sender(t, server+receives, overHTTP, "--root", another(t))
	time.Sleep(*span)
	stop(t, first)
	stop(t, second)
	time.Sleep(4 * slack) // and the last
	now := time.Now()

	var names []string
	get(t, server, "/api/v1/label/__name__/values", nil, &names)
	all := shown(t)
	for _, m := range all {
		if !slices.Contains(names, serverName(m)) {
			t.Errorf("the server has no %s (%s, %s)", serverName(m), m.Kind, m.Unit)
		}
	}
	t.Logf("%d metrics are there", len(all))

	targets := query(t, server, "last_over_time(target_info[10m])", now)
	ids := map[string]bool{}
	for _, s := range targets {
		ids[s.Metric["job"]+" "+s.Metric["instance"]] = true
		if s.Metric["job"] != "pidometer" || s.Metric["instance"] != s.Metric["host_id"] || s.Metric["instance"] == "" {
			t.Errorf("target %v", s.Metric)
		}
	}
	if len(ids) != 2 || len(targets) != 2 {
		t.Errorf("%d targets of %d names", len(targets), len(ids))
	}
	for _, metric := range []string{"system_uptime_seconds", "system_process_created_total", "system_memory_linux_available_bytes"} {
		if n := len(query(t, server, "last_over_time("+metric+"[10m])", now)); n != 2 {
			t.Errorf("%d series of %s, want one for each host", n, metric)
		}
	}
	for id := range ids {
		_, instance, _ := strings.Cut(id, " ")
		checkIncrease(t, w, "host "+instance[:8], server, pid, `instance="`+instance+`"`)
	}
}

// With its features that believe start times the server counts from them, which is
// wrong for whoever says that a counter began when he began to look.
func TestPrometheusWithStartTimes(t *testing.T) {
	asked(t)
	server := startPrometheus(t, "created-timestamp-zero-ingestion")
	pid := work(t)
	w := watch(t, pid)
	time.Sleep(2 * slack)
	s := sender(t, server+receives, overHTTP)
	time.Sleep(*span)
	stop(t, s)
	time.Sleep(4 * slack)
	checkIncrease(t, w, "start times", server, pid, "")
}
