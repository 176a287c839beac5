package oneshot

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// name gives the row the strings of a sample. Only what changed is made anew, so
// a pass in which nothing was renamed allocates nothing.
func (r *Row) name(s *platform.Sample) {
	switch r.Entity {
	case platform.Process:
		r.nameProcess(s)
	case platform.Filesystem:
		r.rename(s, platform.FilesystemDevice, &r.names.device, &r.Device)
		r.rename(s, platform.FilesystemType, &r.names.fs, &r.Type)
		r.rename(s, platform.FilesystemMode, &r.names.mod, &r.Mode)
	case platform.Host: // its texts are no part of any row
	default:
		r.describe(s)
	}
}

// describe keeps the texts of a piece of hardware. One that can't be read for a
// while stays.
func (r *Row) describe(s *platform.Sample) {
	r.carry(s, ^platform.TextSet(0))
}

// mostText is how much of a text a row keeps: no path is longer, and arguments may
// be megabytes.
const mostText = 4 << 10

// carry keeps those of the row's texts that are in a set.
func (r *Row) carry(s *platform.Sample, texts platform.TextSet) {
	first, count := r.Entity.Texts()
	for t := first; t < first+count; t++ {
		if b, ok := s.Text(t); ok && texts.Has(t) {
			r.write(t, shorten(b))
		}
	}
}

func (r *Row) write(t platform.Text, b []byte) {
	if r.Texts[t] == string(b) {
		return
	}
	if name := text.Escape(b); r.Texts[t] != name {
		if r.Texts == nil {
			r.Texts = map[platform.Text]string{}
		}
		r.Texts[t] = name
		r.Version++
	}
}

// shorten cuts what is too long behind the last of its parts that ends in time.
func shorten(b []byte) []byte {
	if len(b) <= mostText {
		return b
	}
	b = b[:mostText]
	if end := bytes.LastIndexByte(b, 0); end >= 0 {
		return b[:end+1]
	}
	return b
}

func (r *Row) rename(s *platform.Sample, t platform.Text, raw *[]byte, name *string) {
	b, ok := s.Text(t)
	if !ok || (bytes.Equal(b, *raw) && *raw != nil) {
		return
	}
	*raw = append((*raw)[:0], b...)
	*name = text.Escape(b)
	r.Version++
}

// nameProcess names a process after its program file. Where that can't be read
// the short name stands in, as first seen: a process may rename itself at any
// time, and a rename must not start a new series.
func (r *Row) nameProcess(s *platform.Sample) {
	if path, ok := s.Text(platform.ProcessExecutable); ok && len(path) > 0 {
		if r.names.fromPath && bytes.Equal(path, r.names.path) {
			return
		}
		r.names.path, r.names.fromPath = append(r.names.path[:0], path...), true
		r.call(baseName(path))
		return
	}
	if command, ok := s.Text(platform.ProcessCommand); ok && r.Executable == "" {
		r.call(command)
	}
}

func (r *Row) call(name []byte) {
	if s := text.Escape(name); s != r.Executable {
		r.Executable = s
		r.Version++
	}
}

// baseName is what follows the last separator. A backslash separates on Windows
// and is an ordinary character elsewhere: a path that starts with a slash has
// only slashes.
func baseName(path []byte) []byte {
	separators := `/\`
	if path[0] == '/' {
		separators = "/"
	}
	return path[bytes.LastIndexAny(path, separators)+1:]
}
