// Package scratch gives tests a folder of their own, also under Wine: version 8.0 lacks
// the call that os.RemoveAll, and so the end of T.TempDir, deletes with since Go 1.25
// (SetFileInformationByHandle with FileDispositionInfoEx: "Invalid function").
package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir makes an empty folder, which is gone after the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pidometer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// remove deletes a folder, one name after the other.
func remove(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if err = os.Remove(path); err != nil && e.IsDir() {
			err = remove(path)
		}
		if err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
