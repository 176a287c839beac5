package series

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
)

// wantExtra adds what the attributes of processes are made of, and returns the texts
// among that.
func (r *Reader) wantExtra(want *platform.Want) (keep platform.TextSet) {
	for i := range r.extra {
		w := r.extra[i].Want()
		want.Fields = want.Fields.Union(w.Fields)
		keep |= w.Texts
	}
	want.Texts |= keep
	return keep
}

// extraOf returns the attributes of a process beside its identity.
func (r *Reader) extraOf(w *oneshot.Row) (extra []attribute.KeyValue) {
	if w.Entity != platform.Process {
		return nil
	}
	for i := range r.extra {
		var v uint64
		var known bool
		if f, ok := r.extra[i].Number(); ok {
			v, known = w.Value(f)
		}
		if kv, ok := r.extra[i].Of(w.Texts, v, known); ok {
			extra = append(extra, kv)
		}
	}
	return extra
}

// numbers returns the numbers in a process's attributes, plus one each: 0 is unknown.
func (r *Reader) numbers(w *oneshot.Row) (numbers []uint64) {
	if w.Entity != platform.Process || len(r.extra) == 0 {
		return nil
	}
	numbers = make([]uint64, len(r.extra))
	for i := range r.extra {
		numbers[i] = r.number(w, i)
	}
	return numbers
}

func (r *Reader) number(w *oneshot.Row, i int) uint64 {
	if f, ok := r.extra[i].Number(); ok {
		if v, known := w.Value(f); known {
			return v + 1
		}
	}
	return 0
}

// same reports whether a row's attributes still show the numbers that it has. What
// can't be read for a while stays.
func (r *Reader) same(have *row, w *oneshot.Row) bool {
	for i, shown := range have.numbers {
		if now := r.number(w, i); now != 0 && now != shown {
			return false
		}
	}
	return true
}
