package oneshot_test

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
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

// BenchmarkPass times passes over this machine and says how much CPU each took: of
// everything about the host, of all processes with every metric that the semantic
// conventions have for them, and of these without the fields that need every thread.
func BenchmarkPass(b *testing.B) {
	threads := platform.Fields(platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary)
	for _, c := range []struct {
		name      string
		processes oneshot.Processes
		fields    platform.FieldSet
	}{
		{"host", oneshot.None, fieldsOf(func(e platform.Entity) bool { return e != platform.Process })},
		{"processes", oneshot.All, conventional()},
		{"processes without threads", oneshot.All, conventional().Minus(threads)},
	} {
		b.Run(c.name, func(b *testing.B) { passes(b, c.processes, c.fields) })
	}
}

// conventional returns the fields of processes that the conventions have metrics for.
func conventional() (fields platform.FieldSet) {
	for _, m := range semconv.Metrics() {
		if m.Entity == platform.Process && !m.Extension {
			fields = fields.Union(processFields(m))
		}
	}
	return fields
}

// fieldsOf returns all fields of the entities that are chosen.
func fieldsOf(chosen func(platform.Entity) bool) (fields platform.FieldSet) {
	for f := range platform.Field(platform.FieldCount) {
		if chosen(f.Info().Entity) {
			fields.Add(f)
		}
	}
	return fields
}

func passes(b *testing.B, processes oneshot.Processes, fields platform.FieldSet) {
	backend, err := native.New(native.Options{})
	if err != nil {
		b.Fatal(err)
	}
	now, rows := time.Now(), 0
	p := oneshot.New(oneshot.Config{Backend: backend, Want: platform.Want{Fields: fields}, Processes: processes,
		Now: func() time.Time { now = now.Add(time.Second); return now }})
	defer p.Close()
	pass := func() {
		p.Collect(context.Background(), func(p *oneshot.Pass) {
			rows = 0
			for range p.Rows(platform.Process) {
				rows++
			}
		})
	}
	pass()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for range b.N {
		pass()
	}
	used := float64((cpuTime(b) - before).Nanoseconds()) / float64(b.N)
	b.ReportMetric(used, "cpu-ns/op")
	b.ReportMetric(used/float64(max(rows, 1)), "cpu-ns/process")
	b.ReportMetric(float64(rows), "processes")
}

// cpuTime is what this program has used, as CLOCK_PROCESS_CPUTIME_ID counts it.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
