// Package series is the one walk over the rows of a pass: it gives every enabled
// metric of every entity its attributes, its value and its start. Instruments,
// producers and printers are three ways to take what it yields.
package series

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/filter"
	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// Config is what a program asked to see.
type Config struct {
	Metrics     []string // patterns, as [semconv.Select] takes them
	Processes   oneshot.Processes
	Filter      []string // conditions of processes, as package filter reads them
	Attributes  []string // of processes beside their identity, by the names of the conventions
	Always      []string // executable names that are reported in full beside the top
	PerCPU      bool
	Raw         bool // counters as the kernel gives them
	WithoutHost bool // processes only
	Lifetime    bool // top processes since their creation, for a single look
	// Companion, if not nil, takes part in every pass. The reader closes it.
	Companion Companion
}

// Companion is what goes along with the passes, and tells events of them.
type Companion interface {
	// Ended yields the last readings of the processes that ended since the last call.
	Ended(yield func(*platform.Sample))
	// Passed takes a pass that was made, before anybody reads it.
	Passed(*oneshot.Pass)
	// Told yields what became of events so far, by the place in [OwnMetrics].
	Told(yield func(metric int, event string, n uint64))
	Close() error
}

// Series is one metric of one entity with one set of attributes. It lives as long
// as the entity keeps its names.
type Series struct {
	Metric int // index in [Reader.Metrics]
	Point  *semconv.Point
	Set    attribute.Set
	Start  time.Time
	Note   any // the consumer's own
}

// Number is a value in the metric's own unit: Float if the metric is one of
// floating point numbers, else Int.
type Number struct {
	Int   int64
	Float float64
}

// Reader walks the rows of its own passes. It is safe for concurrent use.
type Reader struct {
	metrics []semconv.Metric
	byHost  [platform.Entities][]form
	pass    *oneshot.Pass
	extra   []semconv.ProcessAttribute
	self    bool
	beside  Companion    // nil for none
	last    time.Time    // the pass that it took last
	points  atomic.Int64 // of the last collection
	panics  atomic.Int64
}

// form is one metric as one kind of entity shows it.
type form struct {
	metric int
	points []semconv.Point
	ratio  platform.Field
}

// row is what the reader notes about a row of a pass.
type row struct {
	version int
	numbers []uint64 // that the attributes show, by their place in [Reader.extra]
	forms   []form
	series  []Series
}

// countMetric needs a walk over every process, which a program that reports
// itself alone would not expect to pay for.
const countMetric = "system.process.count"

// Open prepares the walk over a backend, which the reader closes. It fails with
// an unknown metric name or a pattern that matches nothing.
func Open(c Config, b platform.Backend) (*Reader, error) {
	chosen, err := c.parse()
	if err != nil {
		return nil, err
	}
	r := &Reader{extra: chosen.extra, self: c.Processes == oneshot.Self, beside: c.Companion}
	given := provided(b.Sources())
	for _, m := range chosen.metrics {
		if c.shows(&m) && m.ProvidedBy(given) {
			r.metrics = append(r.metrics, m)
		}
	}
	want, rates := r.form(c.PerCPU)
	if c.Processes == oneshot.Top || c.Processes == oneshot.All {
		want.Texts |= platform.Texts(platform.ProcessCommand, platform.ProcessExecutable)
	}
	keep := r.wantExtra(&want)
	config := oneshot.Config{Backend: b, Want: want, Rates: rates,
		Processes: c.Processes, Always: c.always(), Raw: c.Raw, Lifetime: c.Lifetime, Keep: keep, Filter: chosen.conditions}
	if c.Companion != nil {
		config.Ended = c.Companion.Ended
	}
	r.pass = oneshot.New(config)
	return r, nil
}

// parsed is a configuration that has been understood.
type parsed struct {
	metrics    []semconv.Metric
	conditions []filter.Condition
	extra      []semconv.ProcessAttribute
}

// Check reports what can't be understood.
func (c Config) Check() error {
	_, err := c.parse()
	return err
}

func (c Config) parse() (p parsed, err error) {
	patterns := c.Metrics
	if c.Processes == oneshot.Self || c.Processes == oneshot.None {
		patterns = append([]string{"-" + countMetric}, patterns...)
	}
	if p.metrics, err = semconv.Select(patterns); err != nil {
		return p, err
	}
	if p.conditions, err = filter.ParseAll(c.Filter); err != nil {
		return p, err
	}
	p.extra, err = semconv.SelectProcessAttributes(c.Attributes)
	return p, err
}

// shows reports whether the entity of a metric is reported at all.
func (c *Config) shows(m *semconv.Metric) bool {
	if m.Entity == platform.Process {
		return c.Processes != oneshot.None
	}
	return !c.WithoutHost
}

func (c *Config) always() func(string) bool {
	if len(c.Always) == 0 || c.Processes != oneshot.Top {
		return nil
	}
	return func(executable string) bool { return slices.Contains(c.Always, executable) }
}

// provided returns all fields that a kernel gives, by its sources or by counting.
func provided(sources []platform.Source) (fields platform.FieldSet) {
	for i := range sources {
		for _, g := range sources[i].Gives {
			fields.Add(g.Field)
		}
	}
	return fields.Union(oneshot.Counted(fields))
}

// form sorts the metrics by the entity that shows them and returns the fields and
// texts to read for them.
func (r *Reader) form(perCPU bool) (want platform.Want, rates platform.FieldSet) {
	for i := range r.metrics {
		m := &r.metrics[i]
		f, e := form{i, m.Points, m.Ratio}, m.Entity
		if perCPU && m.Split != nil {
			f, e = form{i, m.Split, m.SplitRatio}, m.SplitEntity
		}
		r.byHost[e] = append(r.byHost[e], f)
		for _, p := range f.points {
			want.Fields.Add(p.Field)
			if m.Rate {
				rates.Add(p.Field)
			}
		}
		if f.ratio != 0 {
			want.Fields.Add(f.ratio)
		}
		want.Texts |= m.Texts(e)
	}
	return want, rates
}

// Metrics returns the enabled metrics, which is what [Series.Metric] counts in.
func (r *Reader) Metrics() []semconv.Metric { return r.metrics }

// Pass returns the passes under the walk.
func (r *Reader) Pass() *oneshot.Pass { return r.pass }

// Companion returns what goes along with the passes, or nil.
func (r *Reader) Companion() Companion { return r.beside }

// Close frees what the reader holds.
func (r *Reader) Close() error {
	if r.beside == nil {
		return r.pass.Close()
	}
	return errors.Join(r.beside.Close(), r.pass.Close())
}

// Look runs a pass or shares a fresh one, for the companion alone.
func (r *Reader) Look(ctx context.Context) {
	r.pass.Collect(ctx, func(p *oneshot.Pass) { r.accompany(p) })
}

// accompany shows a pass to the companion, once.
func (r *Reader) accompany(p *oneshot.Pass) {
	if r.beside != nil && !p.At().Equal(r.last) {
		r.last = p.At()
		r.beside.Passed(p)
	}
}

// Collect runs a pass or shares a fresh one, and yields every series that it
// tells of with its value. A series is the same from pass to pass, and is lent
// until yield returns. The time of the pass is returned.
func (r *Reader) Collect(ctx context.Context, yield func(*Series, Number)) (at time.Time) {
	r.pass.Collect(ctx, func(p *oneshot.Pass) {
		at = p.At()
		r.accompany(p)
		n := int64(0)
		defer func() { r.points.Store(n) }()
		for e := range r.byHost {
			if len(r.byHost[e]) == 0 {
				continue
			}
			for row := range p.Rows(platform.Entity(e)) {
				r.walk(p, row, func(s *Series, v Number) {
					n++
					yield(s, v)
				})
			}
		}
	})
	return at
}

// walk yields the series of one row.
func (r *Reader) walk(p *oneshot.Pass, w *oneshot.Row, yield func(*Series, Number)) {
	all := r.series(p, w)
	n := 0
	for _, f := range all.forms {
		m := &r.metrics[f.metric]
		for i := range f.points {
			s := &all.series[n]
			n++
			if v, ok := r.value(p, w, m, f, f.points[i].Field); ok {
				s.Start = p.StartOf(w, f.points[i].Field)
				yield(s, v)
			}
		}
	}
}

// series returns the row's series, made once and again when its names change.
func (r *Reader) series(p *oneshot.Pass, w *oneshot.Row) *row {
	if have, ok := w.Series.(*row); ok && have.version == w.Version && r.same(have, w) {
		return have
	}
	made := &row{version: w.Version, numbers: r.numbers(w), forms: r.formsOf(p, w)}
	subject := r.subject(p, w)
	for _, f := range made.forms {
		m := &r.metrics[f.metric]
		for i := range f.points {
			made.series = append(made.series, Series{Metric: f.metric, Point: &f.points[i],
				Set: m.Attributes(subject, f.points[i])})
		}
	}
	w.Series = made
	return made
}

// formsOf leaves out of a remainder what does not add up.
func (r *Reader) formsOf(p *oneshot.Pass, w *oneshot.Row) []form {
	forms := r.byHost[w.Entity]
	if !p.IsOther(w) {
		return forms
	}
	return slices.DeleteFunc(slices.Clone(forms), func(f form) bool { return !r.metrics[f.metric].Adds })
}

// subject spells who a row is about.
func (r *Reader) subject(p *oneshot.Pass, w *oneshot.Row) semconv.Subject {
	s := semconv.Subject{Entity: w.Entity, Key: w.Key, Created: w.Created, Executable: w.Executable,
		Device: w.Device, Type: w.Type, Mode: w.Mode, Texts: w.Texts, Other: p.IsOther(w), Self: r.self && w.Entity == platform.Process}
	s.Key.Name = text.Escape([]byte(w.Key.Name))
	s.Extra = r.extraOf(w)
	return s
}

// Missed returns how often a source gave nothing, by its name and the reason.
func (r *Reader) Missed() map[string]map[string]uint64 {
	all := map[string]map[string]uint64{}
	for miss, n := range r.pass.Stats().Misses {
		if all[miss.Source] == nil {
			all[miss.Source] = map[string]uint64{}
		}
		all[miss.Source][miss.Why.String()] = n
	}
	return all
}
