package platformtest

import (
	"cmp"
	"context"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Task is a process of a [Bulk].
type Task struct {
	PID, Start uint64 // Start in units of 100 ns
	Fields     map[platform.Field]uint64
	Texts      map[platform.Text]string
}

// Bulk is a backend in memory whose kernel tells of all processes in one call, as
// Windows and the BSDs do. Processes start, change and end as a test says; a
// reader sees those of its first call. The zero value is an empty machine.
type Bulk struct {
	mu     sync.Mutex
	tasks  map[uint64]Task // by PID
	self   uint64
	calls  int
	closed bool
}

// The sources of a Bulk.
const (
	bulkProcesses = iota // one call for all processes
	bulkTexts            // one call for each process
	bulkTimes            // the CPUs, made up
)

// Start starts or changes a process. The first one is the caller's own.
func (b *Bulk) Start(t Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tasks == nil {
		b.tasks, b.self = map[uint64]Task{}, t.PID
	}
	t.Fields, t.Texts = maps.Clone(t.Fields), maps.Clone(t.Texts)
	b.tasks[t.PID] = t
}

// End ends the process with the given PID.
func (b *Bulk) End(pid uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.tasks, pid)
}

// Calls returns how often the call that tells of all processes was made.
func (b *Bulk) Calls() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

// bulkFields are the fields that the one call gives.
func bulkFields() []platform.Given {
	return []platform.Given{
		{Field: platform.ProcessCPUUser, Step: 100},
		{Field: platform.ProcessCPUSystem, Step: 100},
		{Field: platform.ProcessMemoryRSS},
		{Field: platform.ProcessMemoryVirtual},
		{Field: platform.ProcessFaultsMinor, Bits: 32},
		{Field: platform.ProcessThreads},
		{Field: platform.ProcessOpenFiles},
		{Field: platform.ProcessDiskReadBytes},
		{Field: platform.ProcessDiskWriteBytes},
		{Field: platform.ProcessSwitchesVoluntary, Bits: 32},
		{Field: platform.ProcessState},
		{Field: platform.ProcessParent},
	}
}

// Sources implements [platform.Backend].
func (b *Bulk) Sources() []platform.Source {
	return []platform.Source{
		bulkProcesses: {
			Name: "bulk processes", Entity: platform.Process, Clock: true, Cost: 1,
			Gives: bulkFields(), Texts: []platform.Text{platform.ProcessCommand},
		},
		bulkTexts: {
			Name: "bulk texts", Entity: platform.Process, Dear: true, Cost: 10,
			Texts: []platform.Text{platform.ProcessExecutable, platform.ProcessArguments, platform.ProcessOwner},
		},
		bulkTimes: {
			Name: "bulk times", Entity: platform.Host, Cost: 1,
			Gives: []platform.Given{{Field: platform.HostCPUUser}, {Field: platform.CPUUser}, {Field: platform.HostCPULogical}},
		},
	}
}

// Boot implements [platform.Backend].
func (b *Bulk) Boot() platform.Boot {
	return platform.Boot{ID: "bulk", Time: time.Unix(1_700_000_000, 0), Tick: 100 * time.Nanosecond}
}

// Begin implements [platform.Backend].
func (b *Bulk) Begin(ctx context.Context) (platform.Reader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fs.ErrClosed
	}
	return &bulkReader{bulk: b, ctx: ctx}, nil
}

// Close implements [platform.Backend].
func (b *Bulk) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// snapshot is the one call.
func (b *Bulk) snapshot() []Task {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	return slices.SortedFunc(maps.Values(b.tasks), func(x, y Task) int { return cmp.Compare(x.PID, y.PID) })
}

// bulkReader is one pass.
type bulkReader struct {
	bulk   *Bulk
	ctx    context.Context
	tasks  []Task
	called bool
	sample platform.Sample
}

// processes makes the one call when it is first needed.
func (r *bulkReader) processes() []Task {
	if !r.called {
		r.tasks, r.called = r.bulk.snapshot(), true
	}
	return r.tasks
}

func (r *bulkReader) Read(set platform.SourceSet, sink platform.Sink) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if set.Has(bulkProcesses) || set.Has(bulkTexts) {
		for _, t := range r.processes() {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			if !r.tell(t, set, sink) {
				return nil
			}
		}
	}
	if set.Has(bulkTimes) {
		r.times(sink)
	}
	return nil
}

func (r *bulkReader) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if !set.Has(bulkProcesses) && !set.Has(bulkTexts) {
		return nil
	}
	if key == platform.Self {
		key = platform.Key{ID: r.bulk.self}
	}
	for _, t := range r.processes() {
		if t.PID == key.ID && (key.Start == 0 || key.Start == t.Start) {
			r.tell(t, set, sink)
			return nil
		}
	}
	return os.ErrProcessDone
}

func (r *bulkReader) Close() error { return nil }

// tell hands a process over.
func (r *bulkReader) tell(t Task, set platform.SourceSet, sink platform.Sink) bool {
	r.sample.Reset(platform.Process, platform.Key{ID: t.PID, Start: t.Start})
	sources := r.bulk.Sources()
	for i := range set.All() {
		for _, g := range sources[i].Gives {
			if v, ok := t.Fields[g.Field]; ok && i == bulkProcesses {
				r.sample.Set(g.Field, v)
			}
		}
		for _, text := range sources[i].Texts {
			if v, ok := t.Texts[text]; ok {
				r.sample.SetText(text, []byte(v))
			}
		}
	}
	return sink.Sample(&r.sample)
}

// times tells of two CPUs that have been busy for a second each.
func (r *bulkReader) times(sink platform.Sink) {
	const busy = uint64(time.Second)
	r.sample.Reset(platform.Host, platform.Key{})
	r.sample.Set(platform.HostCPUUser, 2*busy)
	r.sample.Set(platform.HostCPULogical, 2)
	more := sink.Sample(&r.sample)
	for cpu := uint64(0); more && cpu < 2; cpu++ {
		r.sample.Reset(platform.CPU, platform.Key{ID: cpu})
		r.sample.Set(platform.CPUUser, busy)
		more = sink.Sample(&r.sample)
	}
}
