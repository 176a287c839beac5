package windows

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// smallPage is the unit in which page files are counted.
const smallPage = 4 << 10

// pageFile is one page file, in pages.
type pageFile struct {
	total, used uint64
	name        []byte // in UTF-16
}

// decodePageFiles calls each with every SYSTEM_PAGEFILE_INFORMATION of a list: the
// step to the next, total size, size in use, peak, and the name. b lies at base.
func decodePageFiles(b []byte, base uint64, word int, each func(pageFile) bool) (whole bool) {
	list := b
	for {
		if len(b) < 16+2*word {
			return len(list) == 0 // no page file, no list
		}
		next := uint64(layout.U32(b, 0))
		f := pageFile{total: uint64(layout.U32(b, 4)), used: uint64(layout.U32(b, 8))}
		length, pointer := decodeStringHeader(b[16:], word)
		f.name, _ = layout.Within(list, base, pointer, uint64(length))
		if !each(f) || next == 0 {
			return true
		}
		if next > uint64(len(b)) {
			return false
		}
		b = b[next:]
	}
}

// sendPageFiles hands on each page file.
func (p *hostPass) sendPageFiles() (more bool) {
	if !p.wants(fromPageFiles) {
		return true
	}
	answer, err := p.system(classPageFiles)
	if err != nil {
		p.check(fromPageFiles, err)
		return true
	}
	clear(p.host.seen)
	more = true
	whole := decodePageFiles(answer, p.kernel.Address(p.buf), p.word, func(f pageFile) bool {
		more = p.sendPageFile(f)
		return more
	})
	if !whole {
		p.check(fromPageFiles, errContent)
	}
	return more
}

// sendPageFile names a page file as users do: C:\pagefile.sys for \??\C:\pagefile.sys.
func (p *hostPass) sendPageFile(f pageFile) bool {
	p.text = text.AppendUTF16(p.text[:0], f.name)
	name := string(bytes.TrimPrefix(p.text, []byte(`\??\`)))
	if name == "" || !p.host.once(name) {
		return true
	}
	s := &p.host.sample
	s.Reset(platform.Swap, platform.Key{Name: name})
	s.Set(platform.SwapTotal, f.total*smallPage)
	s.Set(platform.SwapUsed, f.used*smallPage)
	s.Set(platform.SwapFree, (max(f.total, f.used)-f.used)*smallPage)
	return p.send()
}
