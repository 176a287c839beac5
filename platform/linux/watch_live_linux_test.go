package linux

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// longWait is how long a test waits for what has to come. Only a defect makes it wait.
const longWait = 2 * time.Minute

// watching watches a view for some kinds.
func watching(t *testing.T, b platform.Watcher, kinds ...platform.OccurrenceKind) platform.Watch {
	t.Helper()
	w, err := b.Watch(t.Context(), platform.WatchOptions{Kinds: platform.KindsOf(kinds...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// hear reads a watch each time that it has something, until one of what it tells is
// wanted. It returns all of it, that one last.
func hear(t *testing.T, w platform.Watch, wanted func(heard) bool) (all []heard) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longWait)
	defer cancel()
	for {
		if err := w.Wait(ctx); err != nil {
			t.Fatalf("%v; heard so far: %+v", err, all)
		}
		err := w.Read(func(o *platform.Occurrence) { all = append(all, keep(o)) })
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(all, wanted); i >= 0 {
			return all[:i+1]
		}
	}
}

// tierOf returns what became of a source.
func tierOf(t *testing.T, w platform.Watch, name string) platform.Tier {
	t.Helper()
	for _, tier := range w.Tiers() {
		if tier.Source.Name == name {
			return tier
		}
	}
	t.Fatalf("%s is in no tier", name)
	return platform.Tier{}
}
