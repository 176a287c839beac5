package main_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/document"
	"github.com/pidometer/pidometer/internal/otlptest"
)

// listen runs pidometer events while processes begin and end, each long enough for a
// pass to see it, and returns its lines and their PIDs.
func listen(t *testing.T, args ...string) (out []string, children map[int]bool) {
	t.Helper()
	c := exec.Command(program(t), append([]string{"events", "--for", "5s", "--interval", "300ms"}, args...)...)
	text := &lines{}
	c.Stdout, c.Stderr = text, text
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	children = map[int]bool{}
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			return strings.Split(strings.TrimSpace(text.String()), "\n"), children
		default:
			cmd := exec.Command("/bin/sh", "-c", "sleep 0.8; exit 3")
			cmd.Run()
			children[cmd.Process.Pid] = true
		}
	}
}

// A process that ends is told, with what ended it where the kernel lets everybody know.
func TestEventsJSON(t *testing.T) {
	out, children := listen(t, "--format", "json")
	counts := map[string]int{}
	var exit *document.Happened
	for _, line := range out {
		if strings.HasPrefix(line, "time=") {
			continue // the log, of what may not be listened to
		}
		var e document.Happened
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil || e.Schema != document.EventSchema || e.Time.IsZero() {
			t.Fatalf("%v in %s", err, line)
		}
		if counts[e.Event]++; e.Event == "process.exit" && childOf(e, children) {
			exit = &e
		}
	}
	if counts["entity.state"] == 0 || counts["process.start"] == 0 || exit == nil {
		t.Fatalf("%v, no exit of %v", counts, children)
	}
	if code, known := exit.Attributes["process.exit.code"]; known && (code != float64(3) || exit.Severity != 13) {
		t.Errorf("%+v", exit)
	} else if !known {
		t.Log("this kernel tells the exit code to the parent alone")
	}
	if exit.Attributes["process.creation.time"] == nil || exit.Attributes["process.executable.name"] == nil {
		t.Errorf("%+v", exit)
	}
}

func childOf(e document.Happened, children map[int]bool) bool {
	pid, _ := e.Attributes["process.pid"].(float64)
	return children[int(pid)]
}

// The table leaves entities out, and what is hostile in a name.
func TestEventsTable(t *testing.T) {
	out, _ := listen(t)
	if text := strings.Join(out, "\n"); !strings.Contains(text, "process.exit") || strings.Contains(text, "entity.state") || strings.Contains(text, "\x1b") {
		t.Errorf("%s", text)
	}
}

// Each line is a request that any receiver of OTLP/JSON takes.
func TestEventsOTLP(t *testing.T) {
	out, _ := listen(t, "--format", "otlp", "--events", "default")
	found := map[string]int{}
	for _, line := range out {
		if strings.HasPrefix(line, "time=") {
			continue
		}
		request := new(collector.ExportLogsServiceRequest)
		if err := protojson.Unmarshal([]byte(line), request); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for _, r := range otlptest.Events([]*otlptest.EventsRequest{request}) {
			found[r.EventName]++
		}
		if len(request.ResourceLogs[0].Resource.Attributes) == 0 {
			t.Errorf("no resource in %s", line)
		}
	}
	if found["entity.state"] == 0 || found["process.start"] > 0 {
		t.Errorf("%v", found)
	}
}

// What events can't be asked for is refused in one line.
func TestEventsBadInput(t *testing.T) {
	for _, args := range [][]string{{"--events", "some"}, {"--format", "xml"}, {"--for", "0s"}, {"--interval", "-1s"}, {"--filter", "?"}, {"extra"}} {
		out, log, code := run(t, append([]string{"events"}, args...)...)
		if code != 2 || out != "" || strings.Count(log, "\n") != 1 {
			t.Errorf("events %v: status %d, output %q, log %q", args, code, out, log)
		}
	}
}

// The sidecar exports events by default: the processes that there are, those that come
// and go if all is wanted, and last how it ended.
func TestRunExportsEvents(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
		not  []string
	}{
		{[]string{"--processes", "top"}, []string{"entity.state", "pidometer.drain"}, []string{"process.start"}},
		{[]string{"--processes", "all", "--events", "all"}, []string{"entity.state", "process.start", "process.exit", "pidometer.drain"}, nil},
		{[]string{"--events", "off"}, nil, []string{"entity.state", "pidometer.drain"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			r := otlptest.Start(t)
			s := sidecarTo(t, r, append([]string{"--interval", "500ms"}, c.args...)...)
			r.WaitFor(t, "two passes", func(q []*otlptest.Request) bool { return len(otlptest.Numbers(q, "system.uptime")) >= 2 })
			exec.Command("/bin/sleep", "1.5").Run()
			seen := len(otlptest.Numbers(r.Requests(), "system.uptime"))
			r.WaitFor(t, "the pass after it", func(q []*otlptest.Request) bool { return len(otlptest.Numbers(q, "system.uptime")) >= seen+2 })
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
			var names []string
			for _, e := range otlptest.Events(r.EventRequests()) {
				names = append(names, e.EventName)
				if e.EventName == "entity.state" {
					checkState(t, e)
				}
			}
			for _, want := range c.want {
				if !slices.Contains(names, want) {
					t.Errorf("no %s among %d events", want, len(names))
				}
			}
			for _, not := range c.not {
				if slices.Contains(names, not) {
					t.Errorf("%s is not wanted", not)
				}
			}
		})
	}
}

// checkState holds a record to the specification: two maps of strings at least.
func checkState(t *testing.T, e *logs.LogRecord) {
	t.Helper()
	found := map[string]bool{}
	for _, a := range e.Attributes {
		found[a.Key] = true
		if a.Key == "entity.id" {
			for _, id := range a.Value.GetKvlistValue().GetValues() {
				if id.Value.GetStringValue() == "" {
					t.Errorf("%s is no string: %v", id.Key, id.Value)
				}
			}
		}
	}
	if !found["entity.type"] || !found["entity.id"] || !found["entity.report.interval"] || e.TimeUnixNano == 0 || e.SeverityNumber != 9 {
		t.Errorf("%v", e)
	}
}
