package solaris

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in prxmap_t (sys/procfs.h), of 64-bit programs.
const (
	mapSize     = 216
	mapAddress  = 0
	mapLength   = 8
	mapName     = 16
	mapNameSize = 64
	mapOffset   = 80
	mapFlags    = 88
	mapPage     = 92
	mapDevice   = 104
	mapFile     = 112
	mapResident = 120 // pages
	mapPrivate  = 128 // pages of anonymous memory that are in memory

	mapExecute = 0x01 // MA_EXEC
	mapWrite   = 0x02
	mapRead    = 0x04
	mapShared  = 0x08
	mapISM     = 0x80
	mapSHM     = 0x200
)

// Where the heap and the stack are, in pstatus_t.
const (
	heapAt  = 48 // address and size
	stackAt = 64
)

// maps are the mappings of a process, with what of each is in memory. The kernel names files
// by their device and number, and path/ leads from there to a path.
func (p *inspection) maps() ([]platform.MemoryMap, error) {
	if err := p.read(p.key.ID, "status", p.status[:]); err != nil {
		return nil, err
	}
	b, err := p.readGrown("xmap")
	if err != nil {
		return nil, err
	}
	all, whole := decodeMaps(b)
	if !whole {
		return nil, errContent
	}
	for i := range all {
		if err := p.nameMap(&all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// nameMap follows the kernel's name of a mapped file. A file without a path keeps it.
func (p *inspection) nameMap(m *platform.MemoryMap) error {
	switch {
	case m.Path == sharedMemory:
		return nil
	case m.Path == "":
		m.Path = p.regionOf(m)
		return nil
	}
	path, err := p.kernel.Link(p.file("path/" + m.Path))
	if err == nil {
		m.Path = path
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sharedMemory is what pmap(1) calls memory of System V that processes share.
const sharedMemory = "[shmid]"

// regionOf names memory without a file, as pmap(1) does.
func (p *inspection) regionOf(m *platform.MemoryMap) string {
	for _, region := range [...]struct {
		at   int
		name string
	}{{stackAt, "[stack]"}, {heapAt, "[heap]"}} {
		start, size := layout.U64(p.status[:], region.at), layout.U64(p.status[:], region.at+8)
		if m.End > start && m.Start < start+size {
			return region.name
		}
	}
	return ""
}

// decodeMaps reads structures one behind the other.
func decodeMaps(b []byte) (all []platform.MemoryMap, whole bool) {
	all = []platform.MemoryMap{}
	for ; len(b) >= mapSize; b = b[mapSize:] {
		all = append(all, decodeMap(b[:mapSize]))
	}
	return all, len(b) == 0
}

func decodeMap(b []byte) platform.MemoryMap {
	start, flags := layout.U64(b, mapAddress), layout.U32(b, mapFlags)
	m := platform.MemoryMap{Start: start, End: start + layout.U64(b, mapLength), Offset: layout.U64(b, mapOffset), Inode: layout.U64(b, mapFile),
		Path: string(cString(b[mapName : mapName+mapNameSize])), Permissions: permissions(flags), Use: useOf(b, flags)}
	if device := layout.U64(b, mapDevice); device != noDevice {
		m.Device = device
	}
	if m.Path == "" && flags&(mapISM|mapSHM) != 0 {
		m.Path = sharedMemory
	}
	return m
}

// permissions are the letters of the flags.
func permissions(flags uint32) string {
	b := []byte("---p")
	for i, flag := range [...]uint32{mapRead, mapWrite, mapExecute, mapShared} {
		if flags&flag != 0 {
			b[i] = "rwxs"[i]
		}
	}
	return string(b)
}

// useOf tells what of a mapping is in memory. Pages of its own are those that are anonymous,
// unless others see what is written there; those of the file others may map too.
func useOf(b []byte, flags uint32) *platform.MemoryUse {
	page := uint64(layout.U32(b, mapPage))
	resident, private := layout.U64(b, mapResident)*page, layout.U64(b, mapPrivate)*page
	if flags&mapShared != 0 {
		private = 0
	}
	private = min(private, resident)
	return &platform.MemoryUse{RSS: resident, PrivateDirty: private, SharedDirty: resident - private, Coarse: true}
}
