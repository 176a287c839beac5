package oneshot_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

// discard is a sink that takes everything and keeps nothing.
type discard struct{}

func (discard) Sample(*platform.Sample) bool { return true }
func (discard) Miss(int, platform.Reason)    {}

// patterns are what a program asks of one process. The first is the example of
// psutil's oneshot documentation, the second the list of calls of its benchmark
// (scripts/internal/bench_oneshot.py) as far as they are fields.
var patterns = []struct {
	name   string
	fields []platform.Field
}{
	{"six calls", []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessUptime,
		platform.ProcessParent, platform.ProcessState, platform.ProcessFaultsMinor}},
	{"all calls", []platform.Field{platform.ProcessCPUUser, platform.ProcessUptime, platform.ProcessParent, platform.ProcessState,
		platform.ProcessUser, platform.ProcessThreads, platform.ProcessSignalsPending, platform.ProcessMemoryRSS,
		platform.ProcessMemoryVirtual, platform.ProcessFaultsMinor, platform.ProcessDiskReadBytes,
		platform.ProcessOpenFiles, platform.ProcessSwitchesVoluntary}},
}

// BenchmarkOneshot times grouped against single reads of a process, one after the
// other in one run, and reports their ratio. Single reads choose the one
// source of each field that exactly gives it, as a library without oneshot does.
func BenchmarkOneshot(b *testing.B) {
	backend, err := native.New(native.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	reader, err := backend.Begin(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	key := platform.Key{ID: uint64(child.Process.Pid)}
	for _, p := range patterns {
		b.Run(p.name, func(b *testing.B) {
			grouped := choose(backend, p.fields...)
			var single []platform.SourceSet
			for _, f := range p.fields {
				single = append(single, choose(backend, f))
			}
			var one, many time.Duration
			for b.Loop() {
				many += read(b, reader, key, single...)
				one += read(b, reader, key, grouped)
			}
			b.ReportMetric(float64(many)/float64(one), "single/grouped")
			b.ReportMetric(float64(one.Nanoseconds())/float64(b.N), "grouped-ns/op")
		})
	}
}

func choose(b platform.Backend, fields ...platform.Field) platform.SourceSet {
	set, _ := platform.Choose(b.Sources(), platform.Want{Fields: platform.Fields(fields...)})
	return set
}

func read(b *testing.B, r platform.Reader, key platform.Key, sets ...platform.SourceSet) time.Duration {
	begun := time.Now()
	for _, set := range sets {
		if err := r.Process(key, set, discard{}); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}

// BenchmarkPass times a whole pass over this machine with everything enabled.
func BenchmarkPass(b *testing.B) {
	backend, err := native.New(native.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var want platform.Want
	for f := range platform.Field(platform.FieldCount) {
		want.Fields.Add(f)
	}
	now := time.Now()
	p := oneshot.New(oneshot.Config{Backend: backend, Want: want, Processes: oneshot.All,
		Now: func() time.Time { now = now.Add(time.Second); return now }})
	defer p.Close()
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		p.Collect(context.Background(), func(p *oneshot.Pass) {
			rows = 0
			for range p.Rows(platform.Process) {
				rows++
			}
		})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/process")
}
