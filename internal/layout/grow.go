package layout

import (
	"errors"
	"fmt"
)

// tries bounds how often an answer may outgrow the buffer made for it. Each time
// there is room for a quarter more than was asked for.
const tries = 5

// mostBytes is the largest answer that is waited for: 65536 processes with 50
// threads each take less.
const mostBytes = 512 << 20

// errGrowing says that an answer never fitted.
var errGrowing = errors.New("the answer outgrows its buffer again and again")

// Grow calls until the answer fits into the buffer, and returns the answer, which
// lies at the start of the buffer, and the buffer, larger if need be. call returns
// how many bytes the answer has: if that is more than the buffer holds nothing was
// written, and it is called again with more room.
func Grow(buf []byte, call func(buf []byte) (n int, err error)) (answer, grown []byte, err error) {
	for range tries {
		n, err := call(buf)
		switch {
		case err != nil:
			return nil, buf, err
		case n < 0 || n > mostBytes:
			return nil, buf, fmt.Errorf("an answer of %d bytes: %w", n, errors.ErrUnsupported)
		case n <= len(buf):
			return buf[:n], buf, nil
		}
		buf = make([]byte, n+n/4)
	}
	return nil, buf, errGrowing
}
