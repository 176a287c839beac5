package bsd

import (
	"encoding/binary"
	"io/fs"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Where further mappings of everybody are on OpenBSD: a stack, and as many as [Kernel.Further]
// says, a page each with a page between them.
const (
	StackAt   = 0x7f7f_0000_0000
	FurtherAt = 0x1000_0000_0000
)

// maxPhys is MAXPHYS, the most that kern.proc_vmmap is asked for at once.
const maxPhys = 64 << 10

// entry is a struct kinfo_vmentry of OpenBSD by what differs.
type entry struct{ start, end, offset, kind, protection uint64 }

// Bits of kve_etype.
const (
	object     = 1
	copies     = 4
	needsCopy  = 8
	hole       = 0x10
	stack      = 0x40
	freeMapped = 0x800
)

// entries are those of everybody by address: what heads free space, the program's code, a hole,
// memory without a file, further memory and a stack.
func (k *Kernel) entries() []entry {
	const at, length = simkernel.MapStart, simkernel.MapLength
	all := []entry{
		{Page, Page, 0, freeMapped, 0}, {at, at + length, simkernel.Page, object | copies | needsCopy, 5},
		{at + length, at + 2*length, 0, hole, 0}, {at + 2*length, at + 3*length, 0, copies | needsCopy | freeMapped, 3},
	}
	for i := range uint64(k.Further) {
		all = append(all, entry{FurtherAt + 2*i*Page, FurtherAt + (2*i+1)*Page, 0, 0, 3})
	}
	return append(all, entry{StackAt, StackAt + length, 0, copies | stack, 3})
}

// maps fills in what is not before the address that is in the first entry already, on OpenBSD.
func (k *Kernel) maps(pid int32, buf []byte) (int, error) {
	if _, err := k.owner(pid, true); err != nil {
		return 0, err
	}
	if buf == nil {
		return maxPhys, nil
	}
	size := k.region.Size
	if len(buf) == 0 || len(buf)%size != 0 || len(buf) > maxPhys || k.System {
		return 0, fs.ErrInvalid
	}
	from := binary.LittleEndian.Uint64(buf[k.region.Offset("start"):])
	var answer []byte
	for _, e := range k.entries() {
		if e.start < from || len(answer) == len(buf) {
			continue
		}
		b := make([]byte, size)
		for member, v := range map[string]uint64{"start": e.start, "end": e.end, "offset": e.offset, "etype": e.kind, "protection": e.protection,
			"max_protection": 7, "inheritance": 1} {
			k.region.Put(b, member, v)
		}
		answer = append(answer, b...)
	}
	return k.Write(answer, buf, nil)
}
