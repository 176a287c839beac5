package windows

import (
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in SYSTEM_PROCESS_INFORMATION_EXTENSION, which stands behind the threads of
// a process (ntexapi.h of the System Informer project): PROCESS_DISK_COUNTERS, of
// which the count of flushes is not read, and the context switches of all threads that
// the process has or had. More follows.
const (
	extensionReadBytes  = 0
	extensionWriteBytes = 8
	extensionReads      = 16
	extensionWrites     = 24
	extensionSwitches   = 40
	extensionSize       = 48 // of what is read
)

// extensionBuild is the first build of Windows whose table for everybody has it:
// 10 version 1709. System Informer goes by that too.
const extensionBuild = 16299

// extends reports whether this kernel tells the extension to this program. A 32-bit
// program on a 64-bit Windows is told a copy of the table that leaves it out.
func (b *backend) extends() bool {
	_, _, build := b.kernel.Version()
	return b.word == 8 && build >= extensionBuild
}

// extensionOf returns what lies between the threads of a process and its name, or the
// next process where it has no name. Without the extension that is nothing, or what
// rounds up.
func (t *processTable) extensionOf(e entry) []byte {
	from := e.threads + e.count*t.thr.size
	to := e.end
	if name := t.size(e, t.proc.nameBuffer) - t.base; name >= uint64(from) && name < uint64(to) {
		to = int(name)
	}
	return t.buf[from:to]
}

// extension is what is read of it.
type extension struct {
	readBytes, writeBytes, reads, writes uint64 // of disks
	switches                             uint64
}

// decodeExtension reads SYSTEM_PROCESS_INFORMATION_EXTENSION.
func decodeExtension(b []byte) (x extension, ok bool) {
	if len(b) < extensionSize {
		return extension{}, false
	}
	return extension{
		readBytes: layout.U64(b, extensionReadBytes), writeBytes: layout.U64(b, extensionWriteBytes),
		reads: layout.U64(b, extensionReads), writes: layout.U64(b, extensionWrites), switches: layout.U64(b, extensionSwitches),
	}, true
}

// extension returns that of the process that is visited.
func (r *reader) extension(v *visit) (x extension, ok bool) {
	if !r.extended {
		return extension{}, false
	}
	return decodeExtension(r.pass.table.extensionOf(v.entry))
}

// readDisk sets what went to and from disks, which caches, pipes and sockets have no
// part in.
func (r *reader) readDisk(v *visit) error {
	x, ok := r.extension(v)
	if !ok {
		return errors.ErrUnsupported
	}
	r.sample.Set(platform.ProcessDiskReadBytes, x.readBytes)
	r.sample.Set(platform.ProcessDiskWriteBytes, x.writeBytes)
	r.sample.Set(platform.ProcessDiskReads, x.reads)
	r.sample.Set(platform.ProcessDiskWrites, x.writes)
	return nil
}
