package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// seen is what a pass told.
type seen struct {
	keys   map[platform.Key]bool
	fields map[uint64]map[platform.Field]uint64 // by PID
	texts  map[uint64]map[platform.Text]string
	misses map[int]map[platform.Reason]int
	most   int // stop after so many samples; 0 is never
}

func newSeen() *seen {
	return &seen{
		map[platform.Key]bool{}, map[uint64]map[platform.Field]uint64{}, map[uint64]map[platform.Text]string{},
		map[int]map[platform.Reason]int{}, 0,
	}
}

// readOne makes a pass that reads one process.
func readOne(t testing.TB, b platform.Backend, key platform.Key, set platform.SourceSet) (*seen, error) {
	t.Helper()
	s := newSeen()
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	return s, reader.Process(key, set, s)
}

// count counts what it is given.
type count struct{ samples, misses int }
