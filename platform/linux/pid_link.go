package linux

import (
	"errors"
	"os"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

func (p *inspection) Executable() (platform.Link, error) {
	return p.namedLink("exe", ofPrograms)
}

func (p *inspection) WorkingDirectory() (platform.Link, error) {
	return p.namedLink("cwd", ofPrograms)
}

func (p *inspection) Root() (platform.Link, error) {
	return p.namedLink("root", ofPrograms)
}

// namedLink reads a link in the process's directory.
func (p *inspection) namedLink(name string, of kin) (platform.Link, error) {
	return detail(p, name, of, func(dir int) (platform.Link, error) {
		path, err := p.readLink(dir, name)
		if err != nil {
			return platform.Link{}, err
		}
		return p.unmark(dir, name, path)
	})
}

// readLink reads a link under dir, as the kernel prints it.
func (p *inspection) readLink(dir int, parts ...string) (string, error) {
	n, err := p.kernel.ReadLink(dir, p.join(parts...), p.link)
	if err != nil {
		return "", err
	}
	return string(p.link[:n]), nil
}

// deletedMark is what d_path puts behind the name of a file that has none left.
const deletedMark = " (deleted)"

// unmark takes off the mark of a file whose name is gone. A file may be called like
// that, so that a marked one is looked at; a file system that does not answer leaves
// the mark standing for what it says.
func (p *inspection) unmark(dir int, name, path string) (platform.Link, error) {
	bare, marked := strings.CutSuffix(path, deletedMark)
	if !marked {
		return platform.Link{Path: path}, nil
	}
	var really bool
	err := p.onFiles(dir, func(k Kernel, dir int) error {
		really = isDeleted(k, dir, name, path)
		return nil
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) || err == nil && really:
		return platform.Link{Path: bare, Deleted: true}, nil
	}
	return platform.Link{Path: path}, err
}

// isDeleted reports whether the marked path of a link under dir means a deleted
// file: it has no name left, or there is none with that path.
func isDeleted(k Kernel, dir int, link, path string) bool {
	st, err := k.Stat(dir, zeroed(link))
	return err == nil && st.Links == 0 || !hasFile(k, dir, path)
}

// hasFile reports whether the process with the handle dir sees a file.
func hasFile(k Kernel, dir int, path string) bool {
	_, err := k.Stat(dir, zeroed("root"+path))
	return err == nil
}

// zeroed ends a path in a NUL byte.
func zeroed(path string) []byte { return append([]byte(path), 0) }

// onFiles looks at files within the budget, under a handle of its own.
func (p *inspection) onFiles(dir int, look func(k Kernel, dir int) error) error {
	kernel := p.kernel
	own, err := kernel.OpenDir(dir, p.join("."))
	if err != nil {
		return err
	}
	asked, err := p.bounded(func() error {
		defer kernel.Close(own)
		return look(kernel, own)
	})
	if !asked {
		kernel.Close(own)
	}
	return err
}
