package linux

import "sync"

// locked is a kernel that is asked one question at a time: files of devices are read by
// goroutines of their own, which a world of the tests knows nothing of.
type locked struct {
	Kernel
	mu *sync.Mutex
}

func (k locked) OpenDir(dir int, path []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.OpenDir(dir, path)
}

func (k locked) Open(dir int, path []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Open(dir, path)
}

func (k locked) Read(fd int, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Read(fd, buf)
}

func (k locked) Pread(fd int, buf []byte, offset int64) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Pread(fd, buf, offset)
}

func (k locked) ReadDir(fd int, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.ReadDir(fd, buf)
}

func (k locked) ReadLink(dir int, path []byte, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.ReadLink(dir, path, buf)
}

func (k locked) Stat(dir int, path []byte) (Stat, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Stat(dir, path)
}

func (k locked) Close(fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Close(fd)
}
