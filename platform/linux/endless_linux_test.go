package linux

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/internal/fixture"
	"github.com/pidometer/pidometer/platform"
)

// A FIFO in place of any file of a tree, whose writer says nothing, stops no pass: what
// stands in it is missing, and the rest is as it was.
func TestFIFOInPlaceOfAFile(t *testing.T) {
	archive, err := os.ReadFile("testdata/linux-6.18-amd64.txt")
	if err != nil {
		t.Fatal(err)
	}
	root := fixture.Tree(t, archive)
	whole := readAll(t, root)
	replaced := 0
	for _, path := range regular(t, root) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(path, 0o644); err != nil {
			t.Skipf("no FIFO can be made here: %v", err)
		}
		writer, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(path, root+"/")
		if got := readAll(t, root); got == nil {
			if name != "proc/stat" { // which tells when this machine was booted
				t.Errorf("%s: nothing can be read", name)
			}
		} else if stuck := got.stuck(); len(stuck) > 0 {
			t.Errorf("%s: %v did not answer", name, stuck)
		} else if len(got.given) < len(whole.given)/2 {
			t.Errorf("%s: %d samples of %d are left", name, len(got.given), len(whole.given))
		}
		writer.Close()
		if err := errors.Join(os.Remove(path), os.WriteFile(path, content, 0o644)); err != nil {
			t.Fatal(err)
		}
		replaced++
	}
	if again := readAll(t, root); len(again.given) != len(whole.given) || replaced < 50 {
		t.Errorf("%d samples after %d files, %d before", len(again.given), replaced, len(whole.given))
	}
}

// regular returns the files of a tree that are neither folders nor links.
func regular(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// readAll makes a pass over all sources of a tree with the real kernel, or returns nil
// if that has nothing to be opened.
func readAll(t *testing.T, root string) *collector {
	t.Helper()
	b, err := New(Options{Root: root, Budget: time.Minute})
	if err != nil {
		return nil
	}
	defer b.Close()
	r, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all platform.SourceSet
	for i := range b.Sources() {
		all = all.With(i)
	}
	c := &collector{}
	if err := r.Read(all, c); err != nil {
		t.Errorf("read: %v", err)
	}
	return c
}

// missed returns how often a source gave nothing.
func (c *collector) missed() (n int) {
	for _, whys := range c.misses {
		n += len(whys)
	}
	return n
}

// stuck returns the sources that did not answer.
func (c *collector) stuck() (sources []int) {
	for source, whys := range c.misses {
		if slices.Contains(whys, platform.Stuck) {
			sources = append(sources, source)
		}
	}
	return sources
}

// What has no end is no file: it costs a bounded amount of memory, and its fields.
func TestEndlessFile(t *testing.T) {
	archive, err := os.ReadFile("testdata/linux-6.18-amd64.txt")
	if err != nil {
		t.Fatal(err)
	}
	root := fixture.Tree(t, archive)
	whole := readAll(t, root)
	for _, name := range []string{"proc/meminfo", "proc/diskstats", "proc/self/mountinfo", "proc/loadavg"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.Rename(path, path+".old"), os.Symlink("/dev/zero", path)); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, root); got == nil || len(got.given) < len(whole.given)/2 || got.missed() <= whole.missed() {
			t.Errorf("%s: %+v, want the rest and one miss more than %d", name, got, whole.missed())
		}
		if err := os.Rename(path+".old", path); err != nil {
			t.Fatal(err)
		}
	}
}
