package main_test

import (
	endian "encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// apart runs a test once more in a mount namespace of its own, so that nothing else on
// this machine meets the file systems that it mounts, and reports whether this is that
// run.
func apart(t *testing.T, flags ...string) bool {
	t.Helper()
	const mark = "PIDOMETER_TEST_APART"
	if os.Getenv(mark) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Skipf("mounting is refused: %v", err)
		}
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("not root, who alone may mount")
	}
	runtime.LockOSThread() // the signal at a parent's death is that of its thread
	defer runtime.UnlockOSThread()
	c := exec.Command(os.Args[0], append([]string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=5m"}, flags...)...)
	c.Env = append(os.Environ(), mark+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := c.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skipf("a namespace of mounts is refused: %v", err)
	case err != nil:
		t.Errorf("%v", err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("apart:\n%s", out)
	}
	t.Logf("apart:\n%s", out)
	return false
}

// The requests of a FUSE file system (include/uapi/linux/fuse.h).
const (
	fuseForget      = 2
	fuseGetattr     = 3
	fuseOpen        = 14
	fuseRead        = 15
	fuseStatfs      = 17
	fuseRelease     = 18
	fuseFlush       = 25
	fuseInit        = 26
	fuseInterrupt   = 36
	fuseBatchForget = 42

	fuseInSize = 40 // struct fuse_in_header
	directIO   = 1  // FOPEN_DIRECT_IO: reads are asked for whatever the size
)

// stuck is a file system of one inode, a folder or a file, whose server hangs once it
// has answered a certain request. It must not take the next one: who waits for an answer
// to what was taken can't even be killed (request_wait_answer in fs/fuse/dev.c).
type stuck struct {
	device int
	mode   uint32
	last   uint32        // the request after which it hangs
	again  chan struct{} // closed when it goes on
}

// mountStuck mounts one over a path.
func mountStuck(t *testing.T, path string, mode, last uint32) *stuck {
	t.Helper()
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("this kernel has no FUSE: %v", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=%o,user_id=0,group_id=0", device, mode)
	if err := unix.Mount("stuck", path, "fuse.stuck", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		unix.Close(device)
		t.Skipf("mounting FUSE is refused: %v", err)
	}
	s := &stuck{device: device, mode: mode, last: last, again: make(chan struct{})}
	done := make(chan struct{})
	go func() { defer close(done); s.serve(t) }()
	t.Cleanup(func() {
		s.recover()
		unix.Unmount(path, unix.MNT_FORCE|unix.MNT_DETACH)
		select {
		case <-done:
			unix.Close(device)
		case <-time.After(time.Minute):
			t.Error("the file system is still mounted")
		}
	})
	return s
}

// serve answers requests until the file system is gone.
func (s *stuck) serve(t *testing.T) {
	buf := make([]byte, 1<<20)
	for {
		n, err := unix.Read(s.device, buf)
		switch {
		case err == unix.EINTR || err == unix.ENOENT: // of a request that was taken back
			continue
		case err != nil: // ENODEV: unmounted
			return
		case n < fuseInSize:
			t.Errorf("a request of %d bytes", n)
			return
		}
		opcode := endian.NativeEndian.Uint32(buf[4:])
		if opcode != fuseForget && opcode != fuseBatchForget && opcode != fuseInterrupt { // these have no answer
			s.reply(t, opcode, endian.NativeEndian.Uint64(buf[8:]), buf[fuseInSize:n])
		}
		if opcode == s.last {
			<-s.again
		}
	}
}

// recover lets the server go on. Calling it again does nothing.
func (s *stuck) recover() {
	select {
	case <-s.again:
	default:
		close(s.again)
	}
}

// reply answers one request: a frequency to whoever reads, 1 GiB of space to whoever
// asks for that.
func (s *stuck) reply(t *testing.T, opcode uint32, unique uint64, request []byte) {
	var body []byte
	word := func(values ...uint32) {
		for _, v := range values {
			body = endian.NativeEndian.AppendUint32(body, v)
		}
	}
	long := func(values ...uint64) {
		for _, v := range values {
			body = endian.NativeEndian.AppendUint64(body, v)
		}
	}
	failure := int32(0)
	switch opcode {
	case fuseInit:
		word(7, 31, 0, 0, 0, 4096, 1, 0) // struct fuse_init_out: version, read-ahead, flags, background, write, granularity, pages
		long(0, 0, 0, 0)
	case fuseGetattr:
		long(0, 0, 1, 4096, 8, 0, 0, 0) // struct fuse_attr_out: valid for no time; inode, size, blocks, three times
		word(0, 0, 0, s.mode, 1, 0, 0, 0, 4096, 0)
	case fuseOpen:
		long(0)
		word(directIO, 0)
	case fuseRead:
		if offset := endian.NativeEndian.Uint64(request[8:]); offset == 0 { // struct fuse_read_in
			body = []byte("2400000\n")
		}
	case fuseStatfs:
		long(1<<18, 1<<17, 1<<17, 100, 50) // struct fuse_kstatfs: blocks, free, available, files, free ones
		word(4096, 255, 4096, 0, 0, 0, 0, 0, 0, 0)
	case fuseRelease, fuseFlush:
	default:
		failure = -int32(unix.ENOSYS)
	}
	head := endian.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	head = endian.NativeEndian.AppendUint32(head, uint32(failure))
	head = endian.NativeEndian.AppendUint64(head, unique)
	if _, err := unix.Write(s.device, append(head, body...)); err != nil && err != unix.ENOENT {
		t.Errorf("answer to request %d: %v", opcode, err)
	}
}
