package darwin

import "golang.org/x/sys/unix"

// machineCalls are the calls of this machine.
type machineCalls struct{}

func newKernel() (Kernel, error) { return newCalls(machineCalls{}), nil }

// System makes a system call.
func (machineCalls) System(number uintptr, a [6]uintptr) (r uintptr, failed bool, errno int) {
	r, _, e := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	return r, e != 0, int(e)
}

// Function calls a function of a library.
func (machineCalls) Function(f function, a [6]uintptr) uintptr {
	r, _, _ := call(functions[f], a[0], a[1], a[2], a[3], a[4], a[5])
	return r
}

// Uptime is CLOCK_MONOTONIC, which counts from the start and goes on while the machine
// sleeps (clock_gettime(3)).
func (machineCalls) Uptime() (seconds, nanoseconds int64, err error) {
	var t unix.Timespec
	err = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Sec, t.Nsec, err
}

// Device is st_rdev of stat(2).
func (machineCalls) Device(path string) (uint64, error) {
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	return uint64(uint32(s.Rdev)), err
}
