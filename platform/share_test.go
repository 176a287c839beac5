package platform_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestMemoryShare(t *testing.T) {
	shared := 0
	for f := range platform.Field(platform.FieldCount) {
		var s platform.Sample
		s.Reset(f.Info().Entity, platform.Key{})
		if _, ok := platform.MemoryShare(&s, f, 200); ok {
			t.Errorf("%v was not read, and has a share", f)
		}
		s.Set(f, 50)
		v, ok := platform.MemoryShare(&s, f, 200)
		memory := strings.HasPrefix(f.String(), "process.memory.") || strings.HasPrefix(f.String(), "container.memory.")
		limit := f == platform.ProcessMemoryLimit || f == platform.ContainerMemoryLimit || f == platform.ContainerMemoryAvailable
		if want := memory && !limit; ok != want || ok && v != 0.25 {
			t.Errorf("%v: %v, %v, want %v", f, v, ok, want)
		}
		if ok {
			shared++
		}
		if _, ok := platform.MemoryShare(&s, f, 0); ok {
			t.Errorf("%v: a share of nothing", f)
		}
	}
	if shared < 15 {
		t.Errorf("%d sizes of memory", shared)
	}
	var host platform.Sample
	host.Reset(platform.Host, platform.Key{})
	if _, ok := platform.MemoryShare(&host, platform.ProcessMemoryRSS, 200); ok {
		t.Error("a share of a sample that has none")
	}
}

// The share of memory by any size, here the one that counts shared pages in parts.
func ExampleMemoryShare() {
	var s platform.Sample
	s.Reset(platform.Process, platform.Key{ID: 4711})
	s.Set(platform.ProcessMemoryPSS, 12<<20)
	share, ok := platform.MemoryShare(&s, platform.ProcessMemoryPSS, 8<<30)
	fmt.Printf("%.3f %% %v\n", share*100, ok)
	// Output: 0.146 % true
}
