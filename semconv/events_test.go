package semconv_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

const eventDocs = "../docs/events.md"

// TestEventDocs holds docs/events.md to the rows, or writes it.
func TestEventDocs(t *testing.T) {
	want := eventPage()
	if *update {
		if err := os.WriteFile(eventDocs, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(eventDocs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("docs/events.md is out of date; write it with: go generate ./semconv")
	}
}

const eventPreface = `# Events

This page is written by ` + "`go generate ./semconv`" + ` from the rows of [semconv/events.go](../semconv/events.go). A test
compares the two.

An event is a log record of OpenTelemetry with an event name, the time of the occurrence, and a severity number: 9 is
information, 13 a warning, 17 an error. It has no body. Whom it is about stands in its attributes, since pidometer is
somebody else; the host is on the Resource. ` + "`entity.state`" + ` and ` + "`entity.delete`" + ` are those of the specification (Entity
Events, in development); the semantic conventions have no event for processes and hosts, so that the others are ours.

| where | how |
| --- | --- |
| the sidecar | ` + "`pidometer run`" + ` exports them by default; ` + "`--events off`, `default` or `all`" + ` chooses |
| the terminal | ` + "`pidometer events`" + ` follows them, as a table, JSON or OTLP/JSON |
| a Go service | ` + "`instrumentation.WithLoggerProvider` and `instrumentation.WithEvents`" + `; none without a LoggerProvider |

What happens between two passes is known where the kernel tells it. Passes tell the rest: the difference to the pass before.
Which sources are listened to is chosen at the start, the best of each kind that the system and its rights allow, and told
once. Where nothing may be listened to, nothing fails. A filter on processes is asked by passes alone, so that with one they
alone tell of processes.

At most a thousand events of a name are sent in a second. What is more is counted, by ` + "`pidometer.event.limited`" + ` as a metric and
as an event. If the kernel drops records because nobody read them in time, that is counted in ` + "`pidometer.event.overruns`" + `, and
the next pass tells what has become of the processes.

## What the dead used

The CPU time and page faults of processes that ended between two passes are added to the remainder
(` + "`pidometer.process.group=other`" + `), which is there for it even where every process is reported. Two things tell of them: the
counters of the parents that waited for them, which everybody can read, and exit records. The larger sum holds, and neither
counts anything twice. A parent that ignores its children (SIGCHLD) has no sum of them, and then the records alone tell. An
exit record is written before the kernel takes the memory of the process down, which costs a large program a millisecond that
only the parent knows of. The I/O of a process that ended is in its parent's own figures, by the kernel, and is not added
again. With a filter, and in a single look, nothing is added.

`

// listening are the systems that can be listened to.
var listening = slices.DeleteFunc(slices.Clone(systems), func(s struct{ goos, name string }) bool { return native.Occurrences(s.goos) == nil })

// eventPage writes the whole document.
func eventPage() []byte {
	var b bytes.Buffer
	b.WriteString(eventPreface)
	b.WriteString("## Which there are\n\n| event | severity | sent by |\n| --- | --- | --- |\n")
	for _, e := range semconv.Events() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", e.Name, strings.ReplaceAll(e.Name, ".", ""), severities(&e), sentBy(&e))
	}
	for _, e := range semconv.Events() {
		eventSection(&b, &e)
	}
	b.WriteString("\n## What is listened to\n\nThe best of a kind comes first.\n\n| system | source | tells | needs |\n| --- | --- | --- | --- |\n")
	for _, system := range listening {
		for _, s := range native.Occurrences(system.goos) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", system.name, s.Name, kinds(s), s.Needs)
		}
	}
	return b.Bytes()
}

func severities(e *semconv.Event) string {
	if e.Failed == 0 {
		return fmt.Sprint(e.Severity)
	}
	return fmt.Sprintf("%d, of a failure %d", e.Severity, e.Failed)
}

func sentBy(e *semconv.Event) string {
	if e.Default {
		return "default, all"
	}
	return "all"
}

func eventSection(b *bytes.Buffer, e *semconv.Event) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", e.Name, e.Brief)
	var told []string
	for _, system := range listening {
		for _, s := range native.Occurrences(system.goos) {
			if s.Tells&e.Kinds != 0 && isOf(e, system.goos) {
				told = append(told, fmt.Sprintf("%s: %s", system.name, s.Name))
			}
		}
	}
	if e.Passes != "" {
		told = append(told, "passes: "+e.Passes)
	}
	if len(told) > 0 {
		fmt.Fprintf(b, "Told by %s.\n\n", strings.Join(told, "; "))
	}
	b.WriteString("| attribute | there | tells |\n| --- | --- | --- |\n")
	for _, a := range e.Attributes {
		there := "where known"
		if a.Required {
			there = "always"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Key, there, a.Brief)
	}
	if e.Note != "" {
		fmt.Fprintf(b, "\n%s\n", e.Note)
	}
}

// isOf reports whether a system can tell an event: service managers tell the same kind
// of occurrence, and have an event each.
func isOf(e *semconv.Event, goos string) bool {
	switch e.Name {
	case semconv.EventService:
		return goos == "windows"
	case semconv.EventUnit:
		return goos == "linux"
	}
	return true
}

func kinds(s platform.OccurrenceSource) string {
	var names []string
	for k := range platform.OccurrenceKind(platform.OccurrenceKinds) {
		if s.Tells.Has(k) {
			names = append(names, k.String())
		}
	}
	text := strings.Join(names, ", ")
	if s.Followed {
		text += " (of single processes)"
	}
	return text
}

var eventName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

// Every row is whole: a name of its own by the conventions' rules, an attribute once,
// a severity, and something that tells it.
func TestEvents(t *testing.T) {
	upstream := load(t)
	seen := map[string]bool{}
	for _, e := range semconv.Events() {
		if seen[e.Name] || !eventName.MatchString(e.Name) || e.Brief == "" || e.Severity == 0 {
			t.Errorf("%+v", e)
		}
		seen[e.Name] = true
		if found, ok := semconv.EventNamed(e.Name); !ok || found.Name != e.Name {
			t.Errorf("%s is not found", e.Name)
		}
		if own := strings.HasPrefix(e.Name, "pidometer."); !own && e.Kinds == 0 && e.Passes == "" {
			t.Errorf("nothing tells %s", e.Name)
		}
		var keys []attribute.Key
		for _, a := range e.Attributes {
			if slices.Contains(keys, a.Key) || a.Brief == "" || !eventName.MatchString(string(a.Key)) {
				t.Errorf("%s: %+v", e.Name, a)
			}
			keys = append(keys, a.Key)
			if _, old := upstream.Deprecated.Attributes[string(a.Key)]; old {
				t.Errorf("%s: %s is deprecated", e.Name, a.Key)
			}
		}
	}
	if _, ok := semconv.EventNamed("nothing"); ok {
		t.Error("an event that is not there was found")
	}
}

// Only strings are allowed in an entity's ID; elsewhere a PID is a number.
func TestEntityID(t *testing.T) {
	s := semconv.Subject{Key: platform.Key{ID: 42}, Created: time.Date(2026, 11, 22, 1, 2, 3, 40e6, time.UTC), Executable: "sshd"}
	if have, want := s.EntityIDOf().String(), `{"process.creation.time":"2026-11-22T01:02:03.040Z","process.pid":"42"}`; have != want {
		t.Errorf("%s, want %s", have, want)
	}
	if id := s.Identity(); len(id) != 3 || id[0] != semconv.ProcessPID.Int64(42) {
		t.Errorf("%v", id)
	}
}
