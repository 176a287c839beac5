package linux

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// OpenFiles reads fd and fdinfo.
func (p *inspection) OpenFiles() ([]platform.OpenFile, error) {
	return detail(p, "fd", ofPrograms, p.openFiles)
}

// openFiles lists the descriptors under dir, looks which are regular files, and then
// reads what is told of those.
func (p *inspection) openFiles(dir int) ([]platform.OpenFile, error) {
	all := []platform.OpenFile{}
	err := p.descriptors(dir, func(some []descriptor) error {
		files := namedFiles(some)
		if len(files) == 0 {
			return nil
		}
		files, err := p.regularFiles(dir, files)
		if err == nil {
			files, err = p.tellFiles(dir, files)
		}
		all = append(all, files...)
		return err
	})
	return all, err
}

// descriptor is an open file of any kind.
type descriptor struct {
	fd   uint64
	name string // the kernel's for what it is; "" if that is too long to be told
}

// namedFiles picks what may be files: their names begin with a slash, those of
// sockets, pipes and other things of the kernel do not.
func namedFiles(some []descriptor) (files []platform.OpenFile) {
	for _, d := range some {
		if d.name == "" || d.name[0] == '/' {
			files = append(files, platform.OpenFile{FD: int(d.fd), Path: d.name})
		}
	}
	return files
}

// fewDescriptors is how many are looked at before their files are: few, so that
// hardly any is another file by then.
const fewDescriptors = 64

// descriptors hands on the descriptors under dir in order, a few at a time, lent until
// some returns. What is closed meanwhile is left out.
func (p *inspection) descriptors(dir int, some func([]descriptor) error) error {
	folder, err := p.backend.open(dir, "fd")
	if err != nil {
		return err
	}
	defer p.kernel.Close(folder)
	fds, err := p.list(folder, nil)
	if err != nil {
		return err
	}
	slices.Sort(fds)
	var few []descriptor
	for chunk := range slices.Chunk(fds, fewDescriptors) {
		if few, err = p.nameDescriptors(folder, chunk, few[:0]); err != nil {
			return err
		}
		if err := errors.Join(some(few), p.ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// nameDescriptors appends those of the descriptors that are still open.
func (p *inspection) nameDescriptors(folder int, fds []uint64, list []descriptor) ([]descriptor, error) {
	for _, fd := range fds {
		n, err := p.kernel.ReadLink(folder, p.joinNumber(fd, ""), p.link)
		switch {
		case err == nil || errors.Is(err, syscall.ENAMETOOLONG):
			list = append(list, descriptor{fd, string(p.link[:max(n, 0)])})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return list, nil
}

// Types of files in [Stat.Mode] (man 7 inode).
const (
	modeType    = 0o170000
	modeRegular = 0o100000
)

// regularFiles keeps the regular files, and tells those that are deleted.
func (p *inspection) regularFiles(dir int, files []platform.OpenFile) ([]platform.OpenFile, error) {
	regular := make([]platform.OpenFile, 0, len(files))
	err := p.onFiles(dir, func(k Kernel, dir int) error {
		folder, err := k.OpenDir(dir, zeroed("fd"))
		if err != nil {
			return err
		}
		defer k.Close(folder)
		var number []byte
		for _, file := range files {
			number = append(strconv.AppendInt(number[:0], int64(file.FD), 10), 0)
			st, err := k.Stat(folder, number)
			if err != nil || st.Mode&modeType != modeRegular {
				continue
			}
			if bare, marked := strings.CutSuffix(file.Path, deletedMark); marked {
				file.Deleted = st.Links == 0 || !hasFile(k, dir, file.Path)
				if file.Deleted {
					file.Path = bare
				}
			}
			regular = append(regular, file)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return regular, nil
}

// tellFiles reads fdinfo of each file. What was closed meanwhile is left out.
func (p *inspection) tellFiles(dir int, files []platform.OpenFile) ([]platform.OpenFile, error) {
	folder, err := p.kernel.OpenDir(dir, p.join("fdinfo"))
	if err != nil {
		return nil, err
	}
	defer p.kernel.Close(folder)
	open := files[:0]
	appends := appendFlag(p.kernel.Machine())
	for _, file := range files {
		b, err := p.once(folder, p.joinNumber(uint64(file.FD), ""))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		}
		position, flags, ok := decodeFDInfo(b)
		if !ok {
			return nil, errContent
		}
		file.Position, file.Flags, file.Mode = &position, &flags, openMode(flags, appends)
		open = append(open, file)
	}
	return open, nil
}

// decodeFDInfo reads /proc/[pid]/fdinfo/[fd] (man 5 proc_pid_fdinfo).
//
//	pos:	4096
//	flags:	0100002
//	mnt_id:	27
func decodeFDInfo(b []byte) (position uint64, flags uint32, ok bool) {
	var hasPosition, hasFlags bool
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch string(key) {
		case "pos":
			position, _, hasPosition = text.UintField(value)
		case "flags":
			v, err := strconv.ParseUint(string(text.Trim(value)), 8, 32)
			flags, hasFlags = uint32(v), err == nil
		}
		if hasPosition && hasFlags {
			return position, flags, true
		}
	}
	return 0, 0, false
}

// Flags of open(2).
const (
	openAccess = 0o3
	openRead   = 0o0
	openWrite  = 0o1
)

// Flags of open(2) that are not the same on all machines: O_APPEND, and O_PATH.
const (
	usualAppend = 0o2000
	oddAppend   = 0o10
	openPath    = 0o10000000
)

// appendFlag returns O_APPEND, for which MIPS and SPARC have another number
// (arch/mips/include/uapi/asm/fcntl.h).
func appendFlag(machine string) uint32 {
	if strings.HasPrefix(machine, "mips") || strings.HasPrefix(machine, "sparc") {
		return oddAppend
	}
	return usualAppend
}

// openMode returns how a file is open, as fopen(3) and psutil spell it.
func openMode(flags, appends uint32) string {
	write, both := "w", "r+"
	if flags&appends != 0 {
		write, both = "a", "a+"
	}
	switch {
	case flags&openPath != 0:
		return ""
	case flags&openAccess == openRead:
		return "r"
	case flags&openAccess == openWrite:
		return write
	}
	return both
}
