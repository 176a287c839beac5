package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// sendSwaps hands on the swap areas.
func (p *hostPass) sendSwaps() bool {
	b, ok := p.table(fromSwaps, "proc/swaps")
	if !ok {
		return true
	}
	p.host.swaps.begin()
	for line := range text.Lines(text.Whole(b)) {
		if !p.sendSwap(line) {
			return false
		}
	}
	p.host.swaps.prune()
	return true
}

func (p *hostPass) sendSwap(line []byte) bool {
	s := &p.host.sample
	s.Reset(platform.Swap, platform.Key{})
	path, ok := decodeSwap(line, s, p.host.attr[:0])
	if !ok {
		return true
	}
	area, first, _ := p.host.swaps.see(path)
	if !first {
		return true
	}
	s.Key.Name = area.name
	return p.send()
}
