package linux

import (
	"io/fs"
	"os"
)

// memoryKernel serves the files of a tree from memory, without allocating.
type memoryKernel struct {
	*treeKernel
	files map[string][]byte
	live  [16][]byte // content not yet read, by descriptor
	used  [16]bool
}

// newMemoryBackend holds every file of the kernel's tree in memory.
func newMemoryBackend(k *treeKernel) *backend {
	m := &memoryKernel{treeKernel: k, files: map[string][]byte{}}
	tree := os.DirFS(k.root)
	_ = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			m.files[path+"\x00"] = entries(tree, path)
			return err
		}
		if d.Type() == fs.ModeSymlink { // the tree's own
			return nil
		}
		content, err := fs.ReadFile(tree, path)
		m.files[path+"\x00"] = content
		return err
	})
	b := treeBackend(k, Options{})
	b.kernel = m
	return b
}

// entries lists what is in a folder.
func entries(tree fs.FS, path string) (list []byte) {
	all, _ := fs.ReadDir(tree, path)
	for _, e := range all {
		b := dirents(e.Name())
		b[direntType] = 8 // DT_REG
		if e.IsDir() {
			b[direntType] = typeFolder
		}
		list = append(list, b...)
	}
	return list
}
