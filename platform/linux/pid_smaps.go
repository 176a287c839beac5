package linux

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// MemoryMaps reads smaps, or maps on a kernel without it (CONFIG_PROC_PAGE_MONITOR),
// which tells no use. Both take the same right.
func (p *inspection) MemoryMaps() ([]platform.MemoryMap, error) {
	maps, err := detail(p, "smaps", ofPrograms, func(dir int) ([]platform.MemoryMap, error) { return p.maps(dir, "smaps") })
	if errors.Is(err, errors.ErrUnsupported) {
		maps, err = detail(p, "maps", ofPrograms, func(dir int) ([]platform.MemoryMap, error) { return p.maps(dir, "maps") })
	}
	return maps, err
}

// maps reads the mappings from one of the two files.
func (p *inspection) maps(dir int, name string) ([]platform.MemoryMap, error) {
	fd, err := p.backend.open(dir, name)
	if err != nil {
		return nil, err
	}
	defer p.kernel.Close(fd)
	maps, err := p.readMaps(stream{kernel: p.kernel, fd: fd, buf: make([]byte, mapSize)})
	if err != nil {
		return nil, err
	}
	return maps, p.nameMaps(dir, maps)
}

// mapSize holds many mappings, and a path of which the kernel wrote every byte as
// four.
const mapSize = 64 << 10

func (p *inspection) readMaps(s stream) ([]platform.MemoryMap, error) {
	maps := []platform.MemoryMap{}
	for n := 0; ; n++ {
		line, err := s.line()
		if err == io.EOF {
			return maps, nil
		}
		if err == nil && n%4096 == 0 {
			err = p.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		maps = p.addMapLine(maps, line)
	}
}

// addMapLine takes one line: that of a mapping, or of what it uses.
func (p *inspection) addMapLine(maps []platform.MemoryMap, line []byte) []platform.MemoryMap {
	if len(line) == 0 || line[0] >= 'A' && line[0] <= 'Z' {
		if len(maps) > 0 {
			decodeMapUse(line, &maps[len(maps)-1])
		}
		return maps
	}
	var m platform.MemoryMap
	path, ok := decodeMap(line, &m)
	if !ok {
		return maps
	}
	m.Path = p.intern(path)
	return append(maps, m)
}

// decodeMap reads the line of a mapping (show_map_vma in fs/proc/task_mmu.c) and
// returns its path, with a newline still written as \012.
//
//	563e7cc4e000-563e7cc50000 r--p 00000000 fe:00 247026          /usr/bin/cat
func decodeMap(line []byte, m *platform.MemoryMap) (path []byte, ok bool) {
	addresses, rest := text.Field(line)
	permissions, rest := text.Field(rest)
	offset, rest := text.Field(rest)
	device, rest := text.Field(rest)
	var okRange, okOffset, okInode bool
	m.Start, m.End, okRange = hexPair(addresses, '-')
	m.Permissions = permissionsOf(permissions)
	m.Offset, okOffset = hexDigits(offset)
	major, minor, okDevice := hexPair(device, ':')
	m.Device = deviceNumber(major, minor)
	m.Inode, rest, okInode = text.UintField(rest)
	return bytes.TrimLeft(rest, " "), okRange && okOffset && okDevice && okInode && m.Start <= m.End && m.Permissions != ""
}

// hexPair reads two numbers with a byte between them.
func hexPair(b []byte, between byte) (first, second uint64, ok bool) {
	i := bytes.IndexByte(b, between)
	if i < 0 {
		return 0, 0, false
	}
	first, okFirst := hexDigits(b[:i])
	second, okSecond := hexDigits(b[i+1:])
	return first, second, okFirst && okSecond
}

// hexDigits reads a number that is nothing but digits.
func hexDigits(b []byte) (v uint64, ok bool) {
	if len(b) == 0 || b[0] <= ' ' {
		return 0, false
	}
	v, rest, ok := text.Hex(b)
	return v, ok && len(rest) == 0
}

// permissionsOf returns a string that takes no memory for what nearly all mappings
// have.
func permissionsOf(b []byte) string {
	switch string(b) {
	case "r--p":
		return "r--p"
	case "rw-p":
		return "rw-p"
	case "r-xp":
		return "r-xp"
	case "---p":
		return "---p"
	}
	if len(b) != len("rwxp") {
		return ""
	}
	return string(b)
}

// decodeMapUse reads one line of what a mapping uses (__show_smap in
// fs/proc/task_mmu.c). Those that are no amount of memory are left out.
//
//	Private_Dirty:         8 kB
func decodeMapUse(line []byte, m *platform.MemoryMap) {
	key, value, _ := bytes.Cut(line, []byte(":"))
	if m.Use == nil {
		m.Use = &platform.MemoryUse{}
	}
	into := useOf(m.Use, key)
	if into == nil {
		return
	}
	if v, rest, ok := text.UintField(value); ok && v>>54 == 0 && string(text.Trim(rest)) == "kB" {
		*into = v << 10
	}
}

// useOf returns what a line tells.
func useOf(u *platform.MemoryUse, key []byte) *uint64 {
	switch string(key) {
	case "Rss":
		return &u.RSS
	case "Pss":
		return &u.PSS
	case "Shared_Clean":
		return &u.SharedClean
	case "Shared_Dirty":
		return &u.SharedDirty
	case "Private_Clean":
		return &u.PrivateClean
	case "Private_Dirty":
		return &u.PrivateDirty
	case "Shared_Hugetlb":
		return &u.SharedHugetlb
	case "Private_Hugetlb":
		return &u.PrivateHugetlb
	case "Referenced":
		return &u.Referenced
	case "Anonymous":
		return &u.Anonymous
	case "Swap":
		return &u.Swap
	case "SwapPss":
		return &u.SwapPSS
	}
	return nil
}

// newlineMark is how the kernel writes the only byte that it does not print as it is
// (seq_path in fs/seq_file.c).
const newlineMark = `\012`

// nameMaps turns the kernel's paths into those of files.
func (p *inspection) nameMaps(dir int, maps []platform.MemoryMap) error {
	links, err := p.unmarkAll(dir, markedPaths(maps))
	for i := range maps {
		m := &maps[i]
		if link, marked := links[m.Path]; marked {
			m.Path, m.Deleted = link.Path, link.Deleted
		}
	}
	return err
}

// markedPaths returns the paths that do not stand for themselves, as they are meant.
func markedPaths(maps []platform.MemoryMap) map[string]string {
	var paths map[string]string
	for i := range maps {
		path := maps[i].Path
		if !strings.HasSuffix(path, deletedMark) && !strings.Contains(path, newlineMark) {
			continue
		}
		if paths == nil {
			paths = map[string]string{}
		}
		paths[path] = strings.ReplaceAll(path, newlineMark, "\n")
	}
	return paths
}

// unmarkAll looks which of the paths are those of deleted files. A file system that
// does not answer leaves the mark standing for what it says.
func (p *inspection) unmarkAll(dir int, paths map[string]string) (map[string]platform.Link, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	links := map[string]platform.Link{}
	err := p.onFiles(dir, func(k Kernel, dir int) error {
		for printed, path := range paths {
			links[printed] = unmarkMap(path, func() bool { return hasFile(k, dir, path) })
		}
		return nil
	})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return links, err
	}
	links = map[string]platform.Link{}
	for printed, path := range paths {
		links[printed] = unmarkMap(path, func() bool { return false })
	}
	return links, nil
}

// unmarkMap takes the mark off a path unless there is a file called like that.
func unmarkMap(path string, exists func() bool) platform.Link {
	bare, marked := strings.CutSuffix(path, deletedMark)
	if !marked || exists() {
		return platform.Link{Path: path}
	}
	return platform.Link{Path: bare, Deleted: true}
}
