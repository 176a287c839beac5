package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeSwap reads one line of /proc/swaps into s and appends the path of the
// area to path. The path has its blanks written as \040, and " (deleted)" behind
// it if the file has no name any more, which makes it no other area. Sizes are in
// kibibytes (swap_show in mm/swapfile.c).
//
//	Filename				Type		Size		Used		Priority
//	/dev/dm-2                               partition	8388604		1048576		-2
func decodeSwap(line []byte, s *platform.Sample, path []byte) (name []byte, ok bool) {
	field, rest := text.Field(line)
	_, rest = text.Field(rest)
	total, rest, ok := text.UintField(rest)
	if !ok {
		return path, false
	}
	path = bytes.TrimSuffix(text.Unoctal(path, field), []byte(" (deleted)"))
	setScaled(s, platform.SwapTotal, total, 1<<10)
	if used, _, ok := text.UintField(rest); ok && used <= total {
		setScaled(s, platform.SwapUsed, used, 1<<10)
		setScaled(s, platform.SwapFree, total-used, 1<<10)
	}
	return path, true
}
