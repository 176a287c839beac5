package solaris

import "os"

// files are the calls that the standard library makes on every system.
type files struct{}

// Names lists a folder.
func (files) Names(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// File reads a whole file.
func (files) File(path string) ([]byte, error) { return os.ReadFile(path) }

// Link is readlink(2).
func (files) Link(path string) (string, error) { return os.Readlink(path) }

// Pid is getpid(2).
func (files) Pid() uint64 { return uint64(os.Getpid()) }
