package linux

import (
	"bytes"
	"io"
)

// streamSize holds many lines of any table that is read as a stream.
const streamSize = 32 << 10

// stream reads a file that may have a million lines through a buffer that does
// not grow.
type stream struct {
	kernel Kernel
	fd     int
	buf    []byte
	rest   []byte // part of buf that was read and not handed out
}

// line returns the next whole line without its newline, lent until the next
// call, or [io.EOF]. A line longer than the buffer is an error.
func (s *stream) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(s.rest, '\n'); i >= 0 {
			line := s.rest[:i]
			s.rest = s.rest[i+1:]
			return line, nil
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// fill moves the rest to the front and reads behind it.
func (s *stream) fill() error {
	kept := copy(s.buf, s.rest)
	if kept == len(s.buf) {
		return bytes.ErrTooLarge
	}
	n, err := s.kernel.Read(s.fd, s.buf[kept:])
	if err != nil {
		return err
	}
	s.rest = s.buf[:kept+n]
	if n == 0 {
		return io.EOF
	}
	return nil
}

// readFile reads a file under dir to its end into the memory of buf, which it
// lets grow, and returns what it read.
func readFile(k Kernel, dir int, path, buf []byte) ([]byte, error) {
	fd, err := k.Open(dir, path)
	if err != nil {
		return buf[:0], err
	}
	defer k.Close(fd)
	buf = buf[:0]
	for {
		if len(buf) >= mostFile {
			return nil, errEndless
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := k.Read(fd, buf[len(buf):cap(buf)])
		if err != nil {
			return buf[:0], err
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
	}
}
