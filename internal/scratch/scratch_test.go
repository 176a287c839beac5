package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The folder is there during the test, and gone with all that is in it afterwards.
func TestDir(t *testing.T) {
	var dir string
	t.Run("within", func(t *testing.T) {
		dir = Dir(t)
		deep := filepath.Join(dir, "größe 日本", "empty")
		if err := os.MkdirAll(deep, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "größe 日本", "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", dir, err)
	}
}
