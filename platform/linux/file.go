package linux

import (
	"errors"
	"strconv"
)

// open builds a NUL-terminated path from parts and opens it under dir.
func (b *backend) open(dir int, parts ...string) (int, error) {
	return b.kernel.Open(dir, b.join(parts...))
}

// join puts a path together in the backend's own buffer.
func (b *backend) join(parts ...string) []byte {
	b.path = b.path[:0]
	for _, p := range parts {
		b.path = append(b.path, p...)
	}
	b.path = append(b.path, 0)
	return b.path
}

// joinNumber is join of a number and what follows it.
func (b *backend) joinNumber(n uint64, suffix string) []byte {
	b.path = strconv.AppendUint(b.path[:0], n, 10)
	b.path = append(b.path, suffix...)
	b.path = append(b.path, 0)
	return b.path
}

// file returns the content of a file under the root, such as proc/stat, up to
// its end. The bytes are lent until the next read.
func (b *backend) file(parts ...string) ([]byte, error) {
	return b.slurp(b.root, parts...)
}

// slurp reads a file under dir to its end into the lent buffer. Files in /proc
// say nothing true about their size, and those of many records (net/dev) give
// about a page per read however large the buffer is (seq_read_iter in
// fs/seq_file.c): only a read that gives nothing is the end.
func (b *backend) slurp(dir int, parts ...string) ([]byte, error) {
	fd, err := b.open(dir, parts...)
	if err != nil {
		return nil, err
	}
	n, err := b.drain(fd, &b.buf, 0, mostFile)
	b.kernel.Close(fd)
	if err != nil {
		return nil, err
	}
	return b.ended(n)
}

// once reads a file that the kernel prints as one record, in one read. Such a
// read gives as much of the record as there is room for (proc_single_show in
// fs/proc/base.c), so only one that fills the buffer may have left something.
func (b *backend) once(dir int, path []byte) ([]byte, error) {
	fd, err := b.kernel.Open(dir, path)
	if err != nil {
		return nil, err
	}
	n, err := b.kernel.Read(fd, b.buf)
	if err == nil && n == len(b.buf) {
		n, err = b.drain(fd, &b.buf, n, mostFile)
	}
	b.kernel.Close(fd)
	if err != nil {
		return nil, err
	}
	return b.ended(n)
}

// mostFile is how much of a file is read: a table of a million locks is smaller.
// Whatever stands in the place of a file under another root, and has no end, costs no
// more memory than that.
const mostFile = 64 << 20

var errEndless = errors.New("has no end")

// ended returns the lines that were read, if that was all of them.
func (b *backend) ended(n int) ([]byte, error) {
	if n < mostFile {
		return b.lines(n), nil
	}
	b.buf = make([]byte, readSize)
	return nil, errEndless
}

// lines returns the first n bytes of the buffer, with a newline at their end. The
// kernel ends every line that it prints; a tree made by hand may not, and the
// decoders take a line without its end for one that was cut short.
func (b *backend) lines(n int) []byte {
	if n == 0 || b.buf[n-1] == '\n' {
		return b.buf[:n]
	}
	if n == len(b.buf) {
		b.buf = append(b.buf, 0)
	}
	b.buf[n] = '\n'
	return b.buf[:n+1]
}

// leastBuffer is what a buffer grows to at first: a page.
const leastBuffer = 4096

// drain reads from fd to its end or to the most bytes, into buf from n on, and
// returns how many bytes buf then holds. It grows the buffer when that is full.
func (b *backend) drain(fd int, buf *[]byte, n, most int) (int, error) {
	for n < most {
		if n == len(*buf) {
			*buf = append(*buf, make([]byte, max(len(*buf), leastBuffer))...)
		}
		m, err := b.kernel.Read(fd, (*buf)[n:])
		if err != nil || m == 0 {
			return n, err
		}
		n += m
	}
	return most, nil
}

// mostNames is how many names are remembered: interfaces of containers come and go
// under ever new ones.
const mostNames = 4096

// intern returns the string of name, allocated once per distinct content.
func (b *backend) intern(name []byte) string {
	if s, ok := b.names[string(name)]; ok {
		return s
	}
	if len(b.names) >= mostNames {
		clear(b.names)
	}
	s := string(name)
	b.names[s] = s
	return s
}
