package darwin

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"testing"
	"unsafe"
)

// pointer is what an address leads to: here Go's own memory, which the caller has pinned.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func bytesAt(address uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(address)), n) }

func stringAt(address uintptr) (s string) {
	for ; *(*byte)(pointer(address)) != 0; address++ {
		s += string(*(*byte)(pointer(address)))
	}
	return s
}

// library is a system in memory, that counts what is not given back.
type library struct {
	services []map[string]string // the property lists of each
	at       int
	objects  map[uintptr]string // what was made, and not released
	matched  []string           // what services were asked for
	next     uintptr
	mapped   []byte
	fail     map[function]uintptr
	errnos   []int // of the next system calls; then they work
	answer   []byte
	asked    [][6]uintptr
	numbers  []uintptr
	clockErr error
}

func newLibrary() *library {
	return &library{objects: map[uintptr]string{}, next: 100, fail: map[function]uintptr{},
		services: []map[string]string{{"a": "plist of a"}, {"b": "plist of b", "a": "x"}}}
}

func (l *library) make(what string) uintptr {
	l.next++
	l.objects[l.next] = what
	return l.next
}

func (l *library) Function(f function, a [6]uintptr) uintptr {
	if code, fails := l.fail[f]; fails {
		return code
	}
	switch f {
	case machHostSelf:
		return 7
	case machTaskSelf:
		return 8
	case hostStatistics:
		count := (*uint32)(pointer(a[3]))
		if a[0] != 7 || *count == 0 {
			return 4 // KERN_INVALID_ARGUMENT
		}
		*count = uint32(copy(bytesAt(a[2], int(*count)*4), bytes.Repeat([]byte{byte(a[1])}, 16)) / 4)
	case hostProcessorInfo:
		l.mapped = bytes.Repeat([]byte{9}, 32)
		*(*uint32)(pointer(a[2])) = 2
		*(*unsafe.Pointer)(pointer(a[3])) = unsafe.Pointer(&l.mapped[0])
		*(*uint32)(pointer(a[4])) = uint32(len(l.mapped) / 4)
	case vmDeallocate:
		if a[0] == 8 && a[1] == uintptr(unsafe.Pointer(&l.mapped[0])) && int(a[2]) == len(l.mapped) {
			l.mapped = nil
		}
	case serviceMatching:
		return l.make("class " + stringAt(a[0]))
	case serviceNameMatching:
		return l.make("name " + stringAt(a[0]))
	case serviceGetMatching:
		l.matched = append(l.matched, l.objects[a[1]])
		delete(l.objects, a[1]) // taken over
		*(*uint32)(pointer(a[2])) = uint32(l.make("iterator"))
	case iteratorNext:
		if l.at == len(l.services) {
			none := uint64(math.MaxUint32) << 32 // of which the other 32 bits count
			return uintptr(none)
		}
		l.at++
		return l.make("service")
	case objectRelease, release:
		delete(l.objects, a[0])
	case stringCreate:
		return l.make(stringAt(a[1]))
	case searchProperty:
		if stringAt(a[1]) != "IOService" || l.services[l.at-1][l.objects[a[2]]] == "" {
			return 0
		}
		return l.make(l.services[l.at-1][l.objects[a[2]]])
	case plistCreateData:
		return l.make(l.objects[a[1]])
	case dataLength:
		return uintptr(len(l.objects[a[0]]))
	case dataBytes:
		copy(bytesAt(a[3], int(a[2])), l.objects[a[0]])
	}
	return 0
}

// System answers a system call with what there is, in the ways of the three kinds.
func (l *library) System(number uintptr, a [6]uintptr) (r uintptr, failed bool, errno int) {
	l.asked, l.numbers = append(l.asked, a), append(l.numbers, number)
	if len(l.errnos) > 0 {
		errno = l.errnos[0]
		l.errnos = l.errnos[1:]
		return 0, true, errno
	}
	switch number {
	case sysSysctl, sysSysctlName:
		size := (*uintptr)(pointer(a[3]))
		if a[2] != 0 && *size < uintptr(len(l.answer)) {
			return 0, true, 12
		}
		if a[2] != 0 {
			copy(bytesAt(a[2], int(*size)), l.answer)
		}
		*size = uintptr(len(l.answer))
	case sysProcInfo:
		if a[4] != 0 {
			return uintptr(copy(bytesAt(a[4], int(a[5])), l.answer)), false, 0
		}
	case sysGetfsstat:
		size := mountTable().Size
		if a[0] != 0 {
			return uintptr(copy(bytesAt(a[0], int(a[1])), l.answer) / size), false, 0
		}
		return uintptr(len(l.answer) / size), false, 0
	}
	return 0, false, 0
}

func (l *library) Device(string) (uint64, error) { return 7, nil }

func (l *library) Uptime() (seconds, nanoseconds int64, err error) { return 5, 6, l.clockErr }

// What the frameworks made is released, whatever fails; and what they tell comes through.
func TestRegistryReleases(t *testing.T) {
	for f := range numFunctions + 1 {
		l := newLibrary()
		k := newCalls(l)
		switch f {
		case serviceGetMatching:
			l.fail[f] = 1
		case stringCreate, searchProperty, plistCreateData, dataLength:
			l.fail[f] = 0
		}
		got, err := k.Registry("Class", []string{"a", "b"})
		if l.fail[serviceGetMatching] != 0 {
			if err == nil {
				t.Error("an answer without services")
			}
			continue // the dictionary is gone with the call, say the headers
		}
		want := "[[plist of a ] [x plist of b]]"
		if len(l.fail) > 0 {
			want = "[[ ] [ ]]"
		}
		if err != nil || fmt.Sprintf("%s", got) != want || len(l.objects) > 0 {
			t.Errorf("function %d: %s, %v, left: %v", f, got, err, l.objects)
		}
	}
}

// Services are asked for by their class, and devices by their name.
func TestMatching(t *testing.T) {
	l := newLibrary()
	k := newCalls(l)
	if _, err := k.Registry("Class", []string{"a"}); err != nil {
		t.Error(err)
	}
	l.at = 0
	got, err := k.Devices("node", []string{"b", "a"})
	if want := "[[ plist of a] [plist of b x]]"; err != nil || fmt.Sprintf("%s", got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if want := []string{"class Class", "name node"}; !slices.Equal(l.matched, want) || len(l.objects) > 0 {
		t.Errorf("asked for %q, left: %v", l.matched, l.objects)
	}
}

func TestMach(t *testing.T) {
	l := newLibrary()
	k := newCalls(l)
	var b [64]byte
	if n, err := k.Statistics(3, b[:]); err != nil || n != 16 || b[15] != 3 || b[16] != 0 {
		t.Errorf("%d, %v, %v", n, err, b)
	}
	if _, err := k.Statistics(3, nil); err == nil {
		t.Error("no room is room")
	}
	if n, err := k.Processors(2, b[:]); err != nil || n != 32 || b[31] != 9 || l.mapped != nil {
		t.Errorf("%d, %v, %v, mapped %v", n, err, b, l.mapped)
	}
	if n, err := k.Processors(2, b[:4]); err != nil || n != 32 {
		t.Errorf("%d, %v", n, err)
	}
	l.fail[hostProcessorInfo] = 5
	if _, err := k.Processors(2, b[:]); err == nil {
		t.Error("a failure is none")
	}
}

// System calls are made again where they should be, with more room where there is more to
// tell, and their errors are those of the standard library.
func TestSystemCalls(t *testing.T) {
	answer := bytes.Repeat([]byte{1, 2, 3, 4}, 600)
	var small, large [3000]byte
	for name, call := range map[string]func(k *calls, buf []byte) (int, error){
		"sysctl":       func(k *calls, buf []byte) (int, error) { return k.Sysctl([]int32{1, 14}, buf) },
		"sysctlbyname": func(k *calls, buf []byte) (int, error) { return k.Named("hw.model", nil, buf) },
		"proc_info":    func(k *calls, buf []byte) (int, error) { return k.ProcInfo(2, 1, 4, 0, buf) },
		"getfsstat":    func(k *calls, buf []byte) (int, error) { return k.Mounts(buf) },
	} {
		l := newLibrary()
		l.answer = answer[:mountTable().Size]
		k := newCalls(l)
		l.errnos = []int{4, 4} // EINTR
		if n, err := call(k, large[:]); err != nil || n != len(l.answer) || !bytes.Equal(large[:n], l.answer) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if n, err := call(k, small[:8]); name != "proc_info" && (err != nil || n < len(l.answer)) || name == "proc_info" && n != 8 {
			t.Errorf("%s: %d of %d, %v", name, n, len(l.answer), err)
		}
		for errno, want := range map[int]error{1: fs.ErrPermission, 13: fs.ErrPermission, 3: os.ErrProcessDone, 2: fs.ErrNotExist, 22: fs.ErrInvalid, 45: errors.ErrUnsupported} {
			l.errnos = []int{errno}
			if _, err := call(k, large[:]); !errors.Is(err, want) {
				t.Errorf("%s: errno %d is %v", name, errno, err)
			}
		}
		l.errnos = []int{0}
		if _, err := call(k, large[:]); err == nil {
			t.Errorf("%s: a failure without a number is none", name)
		}
		l.errnos = []int{4, 4, 4, 4, 4, 4, 4}
		if _, err := call(k, large[:]); err == nil {
			t.Errorf("%s: interrupted for ever", name)
		}
	}
}

// The words of system calls are in the kernel's order.
func TestSystemCallWords(t *testing.T) {
	l := newLibrary()
	k := newCalls(l)
	var b [16]byte
	l.answer = b[:8]
	k.Sysctl([]int32{1, 14, 0}, b[:])
	k.Named("hw.model", nil, b[:])
	address := uint64(1) << 40
	k.ProcInfo(2, 77, 4, address, b[:])
	if a := l.asked[0]; l.numbers[0] != 202 || a[1] != 3 || a[4]|a[5] != 0 {
		t.Errorf("sysctl %v", a)
	}
	if a := l.asked[1]; l.numbers[1] != 274 || a[1] != uintptr(len("hw.model")) {
		t.Errorf("sysctlbyname %v", a)
	}
	if a := l.asked[2]; l.numbers[2] != 336 || a[0] != 2 || a[1] != 77 || a[2] != 4 || a[3] != uintptr(address) || a[5] != 16 {
		t.Errorf("proc_info %v", a)
	}
	if _, err := k.Sysctl(nil, b[:]); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}

func TestOtherCalls(t *testing.T) {
	l := newLibrary()
	k := newCalls(l)
	if _, uptime := k.Clocks(); uptime != 5e9+6 {
		t.Error(uptime)
	}
	l.clockErr = fs.ErrInvalid
	if now, uptime := k.Clocks(); now == 0 || uptime != 0 {
		t.Error(now, uptime)
	}
	if k.Pid() != uint64(os.Getpid()) {
		t.Error(k.Pid())
	}
	if _, err := k.File("/no such file"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if name, err := k.User(0); err != nil || name == "" {
		t.Error(name, err)
	}
	if _, err := k.User(2_000_000_001); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A queue is asked with as many structures as there are, and without a time to wait for ever.
func TestKqueueCalls(t *testing.T) {
	l := newLibrary()
	k := newCalls(l)
	changes, events := make([]byte, 2*32), make([]byte, 5*32+7)
	for _, wait := range []bool{false, true} {
		l.asked, l.numbers = nil, nil
		if n, failed, errno := k.Kevent(9, changes, events, wait); n != 0 || failed || errno != 0 {
			t.Errorf("%d, %v, %d", n, failed, errno)
		}
		a := l.asked[0]
		if l.numbers[0] != sysKevent || a[0] != 9 || a[2] != 2 || a[4] != 5 || (a[5] == 0) != wait {
			t.Errorf("wait %v: call %d with %v", wait, l.numbers[0], a)
		}
	}
	l.asked, l.numbers = nil, nil
	if queue, failed, _ := k.Kqueue(); queue != 0 || failed || l.numbers[0] != sysKqueue {
		t.Errorf("%d, %v, call %d", queue, failed, l.numbers[0])
	}
	k.CloseQueue(4)
	if l.numbers[1] != sysClose || l.asked[1][0] != 4 {
		t.Errorf("call %d with %v", l.numbers[1], l.asked[1])
	}
	l.errnos = []int{22}
	if _, failed, errno := k.Kevent(9, nil, events, false); !failed || errno != 22 {
		t.Errorf("%v, %d", failed, errno)
	}
	if device, err := k.Device("/dev/null"); device != 7 || err != nil {
		t.Error(device, err)
	}
}
