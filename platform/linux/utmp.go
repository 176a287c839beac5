package linux

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Sessions reads utmp of the root. Systems without one do not tell.
func (b *backend) Sessions(ctx context.Context) ([]platform.Session, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	content, err := p.utmp()
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: this system keeps no utmp", errors.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("utmp: %w", err)
	}
	return decodeUtmp(content), nil
}

// utmp reads the file at its true place first: var/run is a link to /run, which
// leads out of a moved root.
func (p *inspection) utmp() ([]byte, error) {
	var content []byte
	for _, path := range [...]string{"run/utmp", "var/run/utmp"} {
		n, err := p.drainBlock(p.root, path, &content)
		if err == nil {
			return content[:n], nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fs.ErrNotExist
}

// Offsets in struct utmp that are the same everywhere (man 5 utmp, bits/utmp.h of
// glibc), and sizes of its texts.
const (
	utmpType     = 0 // 2 bytes
	utmpPID      = 4
	utmpTerminal = 8
	utmpUser     = 44
	utmpHost     = 76
	utmpTail     = 336 // ut_session

	sizeTerminal = 32
	sizeUser     = 32
	sizeHost     = 256
	userProcess  = 7
	mostType     = 9
)

// utmpLayout is what differs: session and time have the width of long, as on arm64,
// or of 32 bits (__WORDSIZE_TIME64_COMPAT32 in glibc).
type utmpLayout struct {
	size, seconds, micros int
	number                func([]byte) uint64
}

func utmpShort() utmpLayout {
	return utmpLayout{384, utmpTail + 4, utmpTail + 8, func(b []byte) uint64 { return uint64(binary.NativeEndian.Uint32(b)) }}
}

func utmpLong() utmpLayout {
	return utmpLayout{400, utmpTail + 8, utmpTail + 16, binary.NativeEndian.Uint64}
}

// decodeUtmp reads the records of users who are logged in, in the layout that fits
// the whole file. psutil calls the host ":0" localhost; here it is what the record
// says.
func decodeUtmp(b []byte) []platform.Session {
	sessions := []platform.Session{}
	layout := utmpFor(b)
	for ; len(b) >= layout.size; b = b[layout.size:] {
		if binary.NativeEndian.Uint16(b[utmpType:]) != userProcess {
			continue
		}
		seconds, micros := layout.number(b[layout.seconds:]), layout.number(b[layout.micros:])
		sessions = append(sessions, platform.Session{
			User:     untilNUL(b[utmpUser : utmpUser+sizeUser]),
			Terminal: untilNUL(b[utmpTerminal : utmpTerminal+sizeTerminal]),
			Host:     untilNUL(b[utmpHost : utmpHost+sizeHost]),
			PID:      uint64(binary.NativeEndian.Uint32(b[utmpPID:])),
			Started:  time.Unix(int64(seconds), int64(micros)*1e3),
		})
	}
	return sessions
}

// utmpFor returns the layout that fits the whole file.
func utmpFor(b []byte) utmpLayout {
	short, long := utmpShort(), utmpLong()
	if !short.fits(b) && long.fits(b) {
		return long
	}
	return short
}

// fits reports whether a file is made of records of this layout.
func (l utmpLayout) fits(b []byte) bool {
	const second = 1e6 // microseconds
	if len(b)%l.size != 0 {
		return false
	}
	for ; len(b) > 0; b = b[l.size:] {
		if binary.NativeEndian.Uint16(b[utmpType:]) > mostType || l.number(b[l.micros:]) >= second {
			return false
		}
	}
	return true
}

// untilNUL returns a text that ends in a NUL byte unless it fills its place.
func untilNUL(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
