package linux

import (
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

// Sizes of a process that holds much.
const (
	manyFiles = 5000
	manyMaps  = 10000
)

// playHolder opens many files and maps many pages, none of which merge.
func playHolder() {
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: manyFiles + 100, Max: manyFiles + 100}))
	for range manyFiles {
		try(unix.Open(filepath.Join("/proc/self", "exe"), unix.O_RDONLY, 0))
	}
	for i := range manyMaps {
		memory := try(unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC*(i%2), unix.MAP_ANON|unix.MAP_PRIVATE))
		memory[0] = 1
	}
}

// BenchmarkInspect reads the two longest lists of a process with 5000 open files and
// 10000 mappings.
func BenchmarkInspect(b *testing.B) {
	cmd, _ := play(b, "holder", func(cmd *exec.Cmd) {})
	p := inspect(b, machine(b), cmd.Process.Pid)
	b.Run("files", func(b *testing.B) {
		for b.Loop() {
			if files := got[[]platform.OpenFile](b)(p.OpenFiles()); len(files) < manyFiles {
				b.Fatalf("%d files", len(files))
			}
		}
	})
	b.Run("maps", func(b *testing.B) {
		for b.Loop() {
			if maps := got[[]platform.MemoryMap](b)(p.MemoryMaps()); len(maps) < manyMaps {
				b.Fatalf("%d mappings", len(maps))
			}
		}
	})
}
