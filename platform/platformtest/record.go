package platformtest

import (
	"context"
	"errors"
	"maps"

	"github.com/pidometer/pidometer/platform"
)

// identity tells a sample from all others of a pass.
type identity struct {
	entity platform.Entity
	key    platform.Key
}

// sample is a copy of a [platform.Sample].
type sample struct {
	fields map[platform.Field]uint64
	texts  map[platform.Text]string
	stray  int // values that belong to no field of the entity
}

// miss is one call of [platform.Sink.Miss].
type miss struct {
	source int
	why    platform.Reason
}

// record is a sink that keeps everything.
type record struct {
	samples map[identity]sample
	twice   []identity
	misses  []miss
	most    int // ends the read after so many samples; 0 is never
	calls   int
}

func newRecord() *record { return &record{samples: map[identity]sample{}} }

func (r *record) Sample(s *platform.Sample) bool {
	r.calls++
	id := identity{s.Entity, s.Key}
	if _, seen := r.samples[id]; seen {
		r.twice = append(r.twice, id)
	}
	r.samples[id] = clone(s)
	return r.most == 0 || r.calls < r.most
}

func (r *record) Miss(source int, why platform.Reason) {
	r.misses = append(r.misses, miss{source, why})
}

// clone copies what is set in a lent sample.
func clone(s *platform.Sample) sample {
	c := sample{fields: map[platform.Field]uint64{}, texts: map[platform.Text]string{}}
	first, count := s.Entity.Block()
	for f := first; f < first+platform.Field(count); f++ {
		if v, ok := s.Get(f); ok {
			c.fields[f] = v
		}
	}
	c.stray = s.Len() - len(c.fields)
	for t := range platform.Text(platform.TextCount) {
		if b, ok := s.Text(t); ok {
			c.texts[t] = string(b)
		}
	}
	return c
}

// of returns the samples of one entity.
func (r *record) of(e platform.Entity) map[platform.Key]sample {
	of := map[platform.Key]sample{}
	for id, s := range r.samples {
		if id.entity == e {
			of[id.key] = s
		}
	}
	return of
}

// readAll makes one pass over the sources.
func readAll(b platform.Backend, set platform.SourceSet) (*record, error) {
	r := newRecord()
	return r, within(b, func(reader platform.Reader) error { return reader.Read(set, r) })
}

// readOne makes one pass that reads one process.
func readOne(b platform.Backend, key platform.Key, set platform.SourceSet) (*record, error) {
	r := newRecord()
	return r, within(b, func(reader platform.Reader) error { return reader.Process(key, set, r) })
}

// within makes one pass of whatever do does.
func within(b platform.Backend, do func(platform.Reader) error) error {
	reader, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	err = do(reader)
	return errors.Join(err, reader.Close())
}

// everything is the set of all sources of a backend.
func everything(b platform.Backend) (set platform.SourceSet) {
	for i := range b.Sources() {
		set = set.With(i)
	}
	return set
}

// processSources is the set of those that are walked process by process.
func processSources(b platform.Backend) (set platform.SourceSet) {
	for i, s := range b.Sources() {
		if s.Entity == platform.Process {
			set = set.With(i)
		}
	}
	return set
}

// clocks is the set of those that tell who a process is.
func clocks(b platform.Backend) (set platform.SourceSet) {
	for i, s := range b.Sources() {
		if s.Clock {
			set = set.With(i)
		}
	}
	return set
}

// declared returns what the sources of a set declare.
func declared(b platform.Backend, set platform.SourceSet) platform.Want {
	var w platform.Want
	for i := range set.All() {
		for _, g := range b.Sources()[i].Gives {
			w.Fields.Add(g.Field)
		}
		w.Texts |= platform.Texts(b.Sources()[i].Texts...)
	}
	return w
}

// processes reads the given things of every process.
func processes(b platform.Backend, fields platform.FieldSet, texts platform.TextSet) (map[platform.Key]sample, platform.SourceSet, error) {
	set, _ := platform.Choose(b.Sources(), platform.Want{Fields: fields, Texts: texts})
	r, err := readAll(b, set)
	return maps.Clone(r.of(platform.Process)), set, err
}
