// Package windows renders a made-up machine as Windows answers: the structures of its headers
// by their C declarations, and no offset from anywhere else. Its [Kernel] is that of package
// platform/windows, of which it takes the interface alone.
package windows

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/windows/headers"
	"github.com/pidometer/pidometer/platform/windows"
)

var _ windows.Kernel = (*Kernel)(nil)

// Kernel answers for a world as it is whenever it is asked: each answer is written where it is
// wanted, and nothing is kept of it. Volumes alone are asked by goroutines of their own.
type Kernel struct {
	*simkernel.World
	simkernel.Answers
	members
	headers *headers.Of

	mu   sync.Mutex // of Answers
	open map[windows.Handle]object
	last windows.Handle
}

// object is what a handle leads to: one of these.
type object struct {
	process *simkernel.Process
	disk    *simkernel.Disk
}

// New returns a kernel for a world, and a program with pointers of so many bytes.
func New(w *simkernel.World, word int) *Kernel {
	h := headers.Wide
	if word == 4 {
		h = headers.Narrow
	}
	return &Kernel{World: w, headers: h, members: membersOf(h), open: map[windows.Handle]object{}}
}

// Page is the size of a page.
const Page = 4096

// unit is that of FILETIME and of all times in structures. FILETIME counts from 1601, which
// is so many seconds before 1970 (docs.microsoft.com: Converting a time_t value to a FILETIME).
const (
	unit  = 100 * time.Nanosecond
	epoch = 11_644_473_600 * uint64(time.Second/unit)
)

// units are units of 100 ns.
func units(d time.Duration) uint64 { return uint64(d / unit) }

// filetime is a time since 1970 as FILETIME.
func filetime(d time.Duration) uint64 { return epoch + units(d) }

// call counts a call, and returns what it fails with.
func (k *Kernel) call(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Call(name)
}

// answer is how long what was rendered is: it stands in the buffer where that was large enough.
func answer(b []byte) (int, error) { return len(b), nil }

// into is where an answer begins: what does not fit into the buffer moves away from it.
func into(buf []byte) []byte { return buf[:0:len(buf)] }

// zeros appends so many, and returns the place of the first.
func zeros(b []byte, n int) (grown, row []byte) {
	at := len(b)
	b = append(b, make([]byte, n)...)
	return b, b[at:]
}

// Word is the size of a pointer.
func (k *Kernel) Word() int { return int(k.headers.Word) }

// Machine is PROCESSOR_ARCHITECTURE_AMD64, or PROCESSOR_ARCHITECTURE_INTEL.
func (k *Kernel) Machine() uint16 { return map[simkernel.Word]uint16{8: 9, 4: 0}[k.headers.Word] }

// Pid is the observer.
func (k *Kernel) Pid() uint64 { return k.Self }

// Clocks tells the world's time.
func (k *Kernel) Clocks() (now, uptime uint64) { return filetime(k.Since(k.Now)), uint64(k.Now) }

// base is where every buffer lies.
const base = 0x123_0000

// Address is where a buffer lies.
func (k *Kernel) Address([]byte) uint64 { return base }

// Version is Windows 11 22H2.
func (k *Kernel) Version() (major, minor, build uint32) { return 10, 0, 22621 }

// HostName is that of the machine.
func (k *Kernel) HostName() (string, error) { return "box", k.call("HostName") }

// Registry has what tells of the installation.
func (k *Kernel) Registry(_, value string) (string, error) {
	if err := k.call("Registry"); err != nil {
		return "", err
	}
	switch value {
	case "MachineGuid":
		return "0f7e6d5c-0000-11ee-9a55-000000000001", nil
	case "ProductName":
		return "Windows 10 Pro", nil
	}
	return "", fs.ErrNotExist
}

// Sessions are that of services, and one that somebody has logged in to.
func (k *Kernel) Sessions() ([]windows.Session, error) {
	return []windows.Session{{Station: "Services"}, {ID: 1, User: "user", Station: "Console"}}, k.call("Sessions")
}

// Drives are a disk, and one without a medium.
func (k *Kernel) Drives() ([]windows.Drive, error) {
	return []windows.Drive{{Root: `C:\`, Kind: 3}, {Root: `D:\`, Kind: 2}}, k.call("Drives")
}

// Volume tells of C: alone.
func (k *Kernel) Volume(root string) (windows.Volume, error) {
	if err := k.call("Volume"); err != nil || root != `C:\` {
		return windows.Volume{}, fs.ErrNotExist
	}
	return windows.Volume{Device: device, Type: "NTFS", Serial: 7, Total: 100 << 30, Free: 40 << 30, Usable: 30 << 30}, nil
}

// device is the kernel's name of C:.
const device = `\Device\HarddiskVolume3`

// DosDevice is the kernel's name of a drive.
func (k *Kernel) DosDevice(drive string) (string, error) {
	if drive != "C:" {
		return "", fs.ErrNotExist
	}
	return device, k.call("DosDevice")
}

// handle opens an object.
func (k *Kernel) handle(o object) windows.Handle {
	k.last += 4
	k.open[k.last] = o
	return k.last
}

// Handles is how many are open.
func (k *Kernel) Handles() int { return len(k.open) }

// Open opens a process, unless that is refused. Nobody keeps one that has ended.
func (k *Kernel) Open(pid uint64, _ uint32) (windows.Handle, error) {
	if err := k.call("Open"); err != nil {
		return 0, err
	}
	p := k.Find(pid)
	switch {
	case p == nil || p.State == simkernel.Zombie:
		return 0, os.ErrProcessDone
	case p.Denied:
		return 0, fs.ErrPermission
	}
	return k.handle(object{process: p}), nil
}

// Close closes a handle, once.
func (k *Kernel) Close(h windows.Handle) error {
	k.of(h)
	delete(k.open, h)
	return k.call("Close")
}

// of is what a handle leads to. One that is not open is a mistake of the backend.
func (k *Kernel) of(h windows.Handle) object {
	o, ok := k.open[h]
	if !ok {
		panic("a handle that is not open")
	}
	return o
}

// OpenDisk opens one of the world's disks, by the number in its name.
func (k *Kernel) OpenDisk(number int) (windows.Handle, error) {
	if err := k.call("OpenDisk"); err != nil {
		return 0, err
	}
	for _, d := range k.Disks {
		if DiskNumber(d) == number {
			return k.handle(object{disk: d}), nil
		}
	}
	return 0, fs.ErrNotExist
}

// DiskNumber is that of \\.\PhysicalDrive.
func DiskNumber(d *simkernel.Disk) int { return int(d.Name[len(d.Name)-1] - '0') }

// What a world has no idea of is not told.

// File is not known.
func (k *Kernel) File(windows.Handle, uint64) (string, error) { return "", errors.ErrUnsupported }

// Addresses likewise.
func (k *Kernel) Addresses([]byte) (int, error) { return 0, errors.ErrUnsupported }

// MappedFile likewise.
func (k *Kernel) MappedFile(windows.Handle, uint64, []byte) (int, error) {
	return 0, errors.ErrUnsupported
}

// Event likewise.
func (k *Kernel) Event() (windows.Handle, error) { return 0, errors.ErrUnsupported }

// Signal likewise.
func (k *Kernel) Signal(windows.Handle) error { return errors.ErrUnsupported }

// Wait likewise.
func (k *Kernel) Wait(_, _ windows.Handle) (bool, error) { return false, errors.ErrUnsupported }
