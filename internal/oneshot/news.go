package oneshot

import "iter"

// Gone yields the processes that this pass sees no more, to the first reader of the
// pass alone: their memory is given back then.
func (p *Pass) Gone() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, r := range p.dropped {
			if !yield(r) {
				return
			}
		}
	}
}
