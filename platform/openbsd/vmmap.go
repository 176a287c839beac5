package openbsd

import (
	"encoding/binary"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// needsRoot is what it takes to ask about any process but the caller (sysctl_proc_vmmap in
// sys/kern/kern_sysctl.c, "allow only root for now").
const needsRoot = "root, or to be that process"

// Offsets in struct kinfo_vmentry (sys/sysctl.h of OpenBSD 7.6), and bits of kve_etype.
const (
	mapSize    = 80
	mapStart   = 0
	mapEnd     = 8
	mapOffset  = 40
	mapKind    = 52
	mapProtect = 56

	mapObject = 0x01 // KVE_ET_OBJ
	mapCopies = 0x04 // KVE_ET_COPYONWRITE
	mapHole   = 0x10 // KVE_ET_HOLE
	mapStack  = 0x40 // KVE_ET_STACK
)

const kernProcMaps = 80 // KERN_PROC_VMMAP

// mapRoom is what is asked for at once: whole entries, and no more than MAXPHYS, 64 KiB, which
// the kernel refuses.
const mapRoom = 512 * mapSize

// memoryMaps are the mappings. What is mapped is not told, but that it is an object: a file,
// or a device. How much of each is in memory is not told either.
func memoryMaps() sysctl.Detail[[]platform.MemoryMap] {
	return sysctl.Detail[[]platform.MemoryMap]{Reads: []string{"kern.proc_vmmap"}, Needs: needsRoot, Of: readMaps}
}

// readMaps asks piece by piece, and for an empty piece at the end: the kernel takes the address
// to begin at out of the first entry of what it fills in, and fills what there is room for. It
// does not say whether that was all. What changes meanwhile may be told as it was or is.
func readMaps(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.MemoryMap, error) {
	all, buf := []platform.MemoryMap{}, make([]byte, mapRoom)
	for from := uint64(0); ; {
		clear(buf)
		binary.LittleEndian.PutUint64(buf[mapStart:], from)
		n, err := p.Kernel().Sysctl([]int32{ctlKern, kernProcMaps, int32(v.Key.ID)}, buf)
		switch {
		case err != nil:
			return nil, err
		case n == 0:
			return all, nil
		case n > len(buf):
			return nil, sysctl.ErrContent
		}
		more, next, ok := decodeMaps(buf[:n], from)
		if !ok {
			return nil, sysctl.ErrContent
		}
		all, from = append(all, more...), next
	}
}

// decodeMaps reads entries, and where the next piece begins. They are in order, none begins
// before from, and the last one ends behind it: otherwise the next piece would be the same
// again. Holes are address space that nothing may be mapped to, and an entry without a length
// only heads free space (sys/uvm/uvm_map.h).
func decodeMaps(b []byte, from uint64) (all []platform.MemoryMap, next uint64, whole bool) {
	next, ordered := from, true
	whole = sysctl.Each(b, mapSize, func(r sysctl.Row) {
		start, end := r.U64(mapStart), r.U64(mapEnd)
		ordered = ordered && start >= next && end >= start
		next = end
		if kind := r.U32(mapKind); kind&mapHole == 0 && end > start {
			all = append(all, mapOf(r, kind))
		}
	})
	return all, next, whole && ordered && next > from
}

// mapOf describes a mapping. What is mapped for the process alone is copied when it is written
// to, a file or not (sys_mmap and uvm_mmapanon in sys/uvm/uvm_mmap.c).
func mapOf(r sysctl.Row, kind uint64) platform.MemoryMap {
	m := platform.MemoryMap{Start: r.U64(mapStart), End: r.U64(mapEnd), Permissions: sysctl.Permissions(r.U32(mapProtect), kind&mapCopies == 0)}
	switch {
	case kind&mapObject != 0:
		m.Path, m.Offset = "[object]", r.U64(mapOffset)
	case kind&mapStack != 0:
		m.Path = "[stack]"
	}
	return m
}
