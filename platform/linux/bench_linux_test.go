package linux

import (
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// BenchmarkPass reads all processes of this machine and reports the CPU time,
// system time included, per process.
func BenchmarkPass(b *testing.B) {
	plans := []struct {
		name string
		set  platform.SourceSet
	}{
		{"all", processSources},
		{"stat", statAlone},
		{"dyn", 1<<pidStat | 1<<pidStatus | 1<<pidIO | 1<<pidFD},
	}
	for _, plan := range plans {
		b.Run(plan.name, func(b *testing.B) {
			backend, err := New(Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			walk(b, backend, plan.set, &count{})
			var c count
			before := cpuTime()
			b.ReportAllocs()
			for b.Loop() {
				walk(b, backend, plan.set, &c)
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(c.samples), "cpu-ns/process")
			b.ReportMetric(float64(c.samples)/float64(b.N), "processes")
		})
	}
}

// cpuTime returns the CPU time of this process in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
