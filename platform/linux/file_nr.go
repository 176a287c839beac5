package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// noFileLimit is the highest limit that the kernel takes (sysctl in fs/file_table.c).
// Since version 240 systemd sets it, to have none.
const noFileLimit = 1<<63 - 1

// decodeFileHandles reads /proc/sys/fs/file-nr: open files, unused ones, which are
// 0 since Linux 2.6, and the limit (man 5 proc_sys_fs).
//
//	903	0	2466170
func decodeFileHandles(b []byte, s *platform.Sample) {
	open, rest, ok := text.UintField(b)
	if !ok {
		return
	}
	unused, rest, ok := text.UintField(rest)
	if !ok || unused > open {
		return
	}
	s.Set(platform.HostFileHandles, open-unused)
	if most, _, ok := text.UintField(rest); ok && most < noFileLimit {
		s.Set(platform.HostFileHandleLimit, most)
	}
}
