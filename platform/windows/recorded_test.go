package windows_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/fixture"
	"github.com/pidometer/pidometer/internal/fixture/transcript"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
	"github.com/pidometer/pidometer/platform/windows"
)

var update = flag.Bool("update", false, "write what recordings tell into them anew")

// recordings are what internal/fixture/record wrote, each with what is to be told.
var recordings = []string{"testdata/wine-8.0-amd64.txt"}

// replayed opens a backend on a recording.
func replayed(t testing.TB, archive []byte) (platform.Backend, *transcript.Replay) {
	t.Helper()
	answers, err := transcript.Parse(archive)
	if err != nil {
		t.Fatal(err)
	}
	k, err := answers.Replay()
	if err != nil {
		t.Fatal(err)
	}
	b, err := windows.New(windows.Options{Kernel: k, AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	return b, k
}

// listing writes what a pass hands on, one entity in a line.
type listing struct {
	sources []platform.Source
	lines   []string
}

func (l *listing) Sample(s *platform.Sample) bool {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %d %d %q", s.Entity, s.Key.ID, s.Key.Start, text.Escape([]byte(s.Key.Name)))
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			fmt.Fprintf(&b, " %s=%d", f, v)
		}
	}
	for t := range platform.Text(platform.TextCount) {
		if v, ok := s.Text(t); ok && t.Entity() == s.Entity {
			fmt.Fprintf(&b, " %s=%q", t, text.Escape(v))
		}
	}
	l.lines = append(l.lines, b.String())
	return true
}

func (l *listing) Miss(source int, why platform.Reason) {
	l.lines = append(l.lines, fmt.Sprintf("missed %s: %v", l.sources[source].Name, why))
}

// Everything that was recorded is told again as it was when the recording was
// looked through, by the whole backend, on any system.
func TestRecorded(t *testing.T) {
	for _, path := range recordings {
		archive, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b, k := replayed(t, archive)
		l := &listing{sources: b.Sources()}
		reader, err := b.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Read(1<<len(l.sources)-1, l); err != nil {
			t.Fatal(err)
		}
		reader.Close()
		if err := b.Close(); err != nil || k.Pending() != 0 {
			t.Errorf("%s: %v, %d handles are open", path, err, k.Pending())
		}
		got := strings.Join(l.lines, "\n") + "\n"
		want := string(fixture.Content(t, archive, "want"))
		if *update {
			if err := os.WriteFile(path, fixture.Replace(t, archive, "want", []byte(got)), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		compareLines(t, path, strings.Split(got, "\n"), strings.Split(want, "\n"))
	}
}

func compareLines(t *testing.T, path string, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: want %s", path, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: got %s", path, line)
		}
	}
}

// What package platform promises holds on a recording too.
func TestRecordedBackend(t *testing.T) {
	for _, path := range recordings {
		archive, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		platformtest.TestBackend(t, func() (platform.Backend, error) {
			b, _ := replayed(t, archive)
			return b, nil
		})
	}
}
