package linux

// Kernel is the handful of calls that this backend makes. [Options.Kernel]
// replaces the real one with a recorded or a failing one.
//
// Paths are relative to the directory handle and end in a NUL byte, so that no
// call has to copy them. Errors are those of the standard library where it has
// one: [io/fs.ErrNotExist], [io/fs.ErrPermission], [os.ErrProcessDone] (ESRCH),
// [errors.ErrUnsupported]; an interrupted call has already been repeated.
type Kernel interface {
	// OpenRoot opens a directory by its absolute path, as OpenDir does.
	OpenRoot(path string) (dir int, err error)
	// OpenDir opens a directory as a handle for the other calls (O_PATH).
	OpenDir(dir int, path []byte) (int, error)
	// Open opens a file for reading.
	Open(dir int, path []byte) (fd int, err error)
	// Read reads the next bytes of a file; 0 is its end.
	Read(fd int, buf []byte) (int, error)
	// Pread reads at an offset without moving the position.
	Pread(fd int, buf []byte, offset int64) (int, error)
	// ReadDir fills buf with directory entries (getdents64); 0 is the end.
	ReadDir(fd int, buf []byte) (int, error)
	// ReadLink reads the target of a symbolic link.
	ReadLink(dir int, path []byte, buf []byte) (int, error)
	// Stat tells a file's size, owner, time of change, type and number of names,
	// following links.
	Stat(dir int, path []byte) (Stat, error)
	// Statfs tells the space of the file system that path, an absolute one, is on.
	Statfs(path string) (Statfs, error)
	// Close closes any handle.
	Close(fd int) error
	// PageSize is the size of a page in bytes.
	PageSize() uint64
	// Machine is the kernel's name of the machine type (uname -m).
	Machine() string
	// Clocks returns the real and the boot-time clock (CLOCK_BOOTTIME) in
	// nanoseconds.
	Clocks() (real, boot int64)
	// Pid is the calling process in its own PID namespace.
	Pid() int
}

// Stat is what [Kernel.Stat] tells.
type Stat struct {
	Size     int64
	Modified int64 // nanoseconds since 1970
	UID      uint32
	Mode     uint32 // type and permissions, by the numbers of stat(2)
	Links    uint32 // names of the file
}

// Statfs is what [Kernel.Statfs] tells, space in blocks of Unit bytes.
type Statfs struct {
	Unit                uint64
	Blocks, Free, Avail uint64
	Files, FreeFiles    uint64 // inodes; 0 where they are not limited
}
