package sysctl

import "os"

// Folders are calls that the standard library makes on every system. Kernels embed it.
type Folders struct{}

// File reads a whole file.
func (Folders) File(path string) ([]byte, error) { return os.ReadFile(path) }

// Folder lists the names in a folder.
func (Folders) Folder(path string) (names []string, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// Pid is getpid(2).
func (Folders) Pid() uint64 { return uint64(os.Getpid()) }
