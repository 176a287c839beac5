package platformtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// machine is a bulk machine with a few processes.
func machine() *Bulk {
	b := &Bulk{}
	for pid := uint64(1); pid <= 20; pid++ {
		b.Start(Task{
			PID: pid, Start: 1000 + pid,
			Fields: map[platform.Field]uint64{
				platform.ProcessCPUUser: pid * 100, platform.ProcessMemoryRSS: pid << 20,
				platform.ProcessMemoryVirtual: pid << 24, platform.ProcessDiskReadBytes: pid << 10,
				platform.ProcessThreads: 1, platform.ProcessState: uint64(platform.StateSleeping),
			},
			Texts: map[platform.Text]string{
				platform.ProcessCommand: "task", platform.ProcessExecutable: "/bin/task",
			},
		})
	}
	return b
}

func TestBulk(t *testing.T) {
	TestBackend(t, func() (platform.Backend, error) { return machine(), nil })
}

// One call serves a whole pass, both stages of it.
func TestBulkCallsOnce(t *testing.T) {
	b := machine()
	err := within(b, func(r platform.Reader) error {
		if err := r.Read(everything(b), newRecord()); err != nil {
			return err
		}
		b.End(3) // after the call, so that this pass still sees it
		return r.Process(platform.Key{ID: 3}, everything(b), newRecord())
	})
	if err != nil || b.Calls() != 1 {
		t.Errorf("%d calls, %v", b.Calls(), err)
	}
	if _, err := readOne(b, platform.Key{ID: 3}, everything(b)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("an ended process gave %v", err)
	}
}

// broken is a backend with one fault.
type broken struct {
	platform.Backend
	sources func([]platform.Source) []platform.Source
	read    func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error
	process func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error
	passes  int
}

type brokenReader struct {
	platform.Reader
	*broken
}

func (b *broken) Sources() []platform.Source {
	if b.sources == nil {
		return b.Backend.Sources()
	}
	return b.sources(b.Backend.Sources())
}

func (b *broken) Begin(ctx context.Context) (platform.Reader, error) {
	r, err := b.Backend.Begin(ctx)
	b.passes++
	return &brokenReader{Reader: r, broken: b}, err
}

func (r *brokenReader) Close() error { return r.Reader.Close() }

func (r *brokenReader) Read(set platform.SourceSet, sink platform.Sink) error {
	if r.read == nil {
		return r.Reader.Read(set, sink)
	}
	return r.read(r.Reader, set, sink)
}

func (r *brokenReader) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if r.process == nil {
		return r.Reader.Process(key, set, sink)
	}
	return r.process(r.Reader, key, set, sink)
}

// through is a sink that changes samples on their way.
type through struct {
	platform.Sink
	change func(*platform.Sample)
}

func (s through) Sample(p *platform.Sample) bool {
	s.change(p)
	return s.Sink.Sample(p)
}

// deaf is a sink that never ends the read.
type deaf struct{ platform.Sink }

func (s deaf) Sample(p *platform.Sample) bool {
	s.Sink.Sample(p)
	return true
}

// changing returns a read that changes the samples of processes.
func changing(change func(*platform.Sample)) func(platform.Reader, platform.SourceSet, platform.Sink) error {
	return func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
		return r.Read(set, through{sink, func(s *platform.Sample) {
			if s.Entity == platform.Process {
				change(s)
			}
		}})
	}
}

// fault is a backend that breaks one promise.
type fault struct {
	what   string
	caught string // the case that finds it
	make   func(b *broken)
}

// wrongSources are faults in what is declared.
func wrongSources() []fault {
	return []fault{
		{"two sources with one name", "sources", func(b *broken) {
			b.sources = func(s []platform.Source) []platform.Source {
				s[1].Name = s[0].Name
				return s
			}
		}},
		{"no clock", "clock", func(b *broken) {
			b.sources = func(s []platform.Source) []platform.Source {
				s[0].Clock = false
				return s
			}
		}},
	}
}

// wrongSamples are faults in what is told.
func wrongSamples() []fault {
	return []fault{
		{"an undeclared field", "declared", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.Set(platform.ProcessFaultsMajor, 1) })
		}},
		{"a field of a source that was not chosen", "declared", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.SetText(platform.ProcessOwner, []byte("x")) })
		}},
		{"a text of another entity", "entity", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.SetText(platform.HostName, []byte("x")) })
		}},
		{"a sample twice", "keys", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.Key = platform.Key{ID: s.Key.ID / 2} })
		}},
		{"a counter that falls", "counters", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.Set(platform.ProcessDiskReadBytes, uint64(1000-b.passes)) })
		}},
		{"CPUs that do not add up", "cpus", func(b *broken) {
			b.read = func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
				return r.Read(set, through{sink, func(s *platform.Sample) {
					if s.Entity == platform.CPU {
						s.Set(platform.CPUUser, 1<<40)
					}
				}})
			}
		}},
		{"no memory", "memory", func(b *broken) {
			b.read = changing(func(s *platform.Sample) { s.Clear(platform.ProcessMemoryRSS) })
			b.process = func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
				return r.Process(key, set, through{sink, func(s *platform.Sample) { s.Clear(platform.ProcessMemoryRSS) }})
			}
		}},
	}
}

// wrongReads are faults in how a walk goes.
func wrongReads() []fault {
	return []fault{
		{"a miss of another source", "misses", func(b *broken) {
			b.read = func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
				sink.Miss(63, platform.Denied)
				return r.Read(set, sink)
			}
		}},
		{"deaf to false", "stop", func(b *broken) {
			b.read = func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
				return r.Read(set, deaf{sink})
			}
		}},
		{"something of nothing", "nothing", func(b *broken) {
			b.read = func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
				return r.Read(max(set, 1), sink)
			}
		}},
		{"deaf to the context", "cancelled", func(b *broken) {
			b.read = func(r platform.Reader, set platform.SourceSet, sink platform.Sink) error {
				r.Read(set, sink)
				return nil
			}
		}},
	}
}

// wrongKeys are faults in reading one process.
func wrongKeys() []fault {
	return []fault{
		{"another process by key", "one", func(b *broken) {
			b.process = func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
				return r.Process(platform.Key{ID: 1}, set, sink)
			}
		}},
		{"a start of 0 is nobody's", "anyone", func(b *broken) {
			b.process = func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
				if key.Start == 0 {
					return os.ErrPermission
				}
				return r.Process(key, set, sink)
			}
		}},
		{"self is taken for a PID", "self", func(b *broken) {
			b.process = func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
				if key == platform.Self {
					return os.ErrProcessDone
				}
				return r.Process(key, set, sink)
			}
		}},
		{"a zero sample of a vanished process", "gone", func(b *broken) { b.process = zeroSample }},
		{"a PID for a process", "reused", func(b *broken) {
			b.process = func(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
				if key != platform.Self {
					key.Start = 0
				}
				return r.Process(key, set, sink)
			}
		}},
	}
}

// The suite is of use only if it finds something: every fault by the case that is
// meant to.
func TestSuiteFindsFaults(t *testing.T) {
	tests := slices.Concat(wrongSources(), wrongSamples(), wrongReads(), wrongKeys())
	for _, test := range tests {
		var caught []string
		for _, c := range cases() {
			err := run(c, func() (platform.Backend, error) {
				b := &broken{Backend: machine()}
				test.make(b)
				return b, nil
			})
			if err != nil {
				caught = append(caught, c.name)
			}
		}
		if !slices.Contains(caught, test.caught) {
			t.Errorf("%s: caught by %q, not by %q", test.what, caught, test.caught)
		}
	}
}

// zeroSample makes up a process that is gone.
func zeroSample(r platform.Reader, key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	err := r.Process(key, set, sink)
	if err == nil {
		return nil
	}
	var s platform.Sample
	s.Reset(platform.Process, key)
	sink.Sample(&s)
	return err
}
