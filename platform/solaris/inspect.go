package solaris

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Details returns where this backend reads each detail. Those of a process also look at its
// psinfo, before anything that was read is believed (tell).
func Details() []platform.DetailSource {
	const pid = "/proc/[pid]/"
	process := func(name, needs string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Process, Reads: reads, Needs: needs}
	}
	host := func(name string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Host, Reads: reads}
	}
	return []platform.DetailSource{
		process("Identity", "", pid+"psinfo", pid+"usage", pid+"cred", pid+"status", "/etc/passwd", "/dev"),
		process("Arguments", needsSameUser, pid+"as, pr_argv"),
		process("Environment", needsSameUser, pid+"as, pr_envp"),
		process("Executable", needsSameUser, pid+"path/a.out"),
		process("WorkingDirectory", needsSameUser, pid+"path/cwd"),
		process("Root", needsSameUser, pid+"path/root"),
		process("Affinity", "", pid+"psinfo", "cpu:*:sys"),
		process("OpenFiles", needsSameUser, pid+"fdinfo", pid+"fd", pid+"path/[fd]"),
		process("Connections", needsSameUser, pid+"fdinfo", "T_SVR4_OPTMGMT_REQ"),
		process("Threads", "", pid+"lpsinfo", pid+"lusage", pid+"lwp/[lwp]/lwpname"),
		process("MemoryMaps", needsSameUser, pid+"xmap", pid+"status", pid+"path/[object]"),
		process("Children", "", pid+"psinfo"),
		process("Descendants", "", pid+"psinfo"),
		process("Parents", "", pid+"psinfo"),
		host("Interfaces", "SIOCGLIFCONF", "SIOCGLIFADDR", "link:*:*"),
		host("Mounts", mountPath),
		host("Sessions", loginPath),
	}
}

// inspection is one process laid open. It has memory of its own, and asks who has the PID
// before and after each question: what it tells is of the process that it was opened for.
type inspection struct {
	*pass
	key     platform.Key
	created uint64 // by its usage, 0 where that was not told
	closed  bool
}

// view is a pass of its own, that takes no turn.
func (b *backend) view(ctx context.Context) (*pass, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.turn.Ended() {
		return nil, fs.ErrClosed
	}
	own := &backend{kernel: b.kernel, all: b.all, boot: b.boot, turn: b.turn, data: make([]byte, 16<<10), known: map[uint64]*life{}}
	return &pass{backend: own, ctx: ctx}, nil
}

// Inspect implements [platform.Inspector].
func (b *backend) Inspect(ctx context.Context, key platform.Key) (platform.Inspection, error) {
	v, err := b.view(ctx)
	if err != nil {
		return nil, err
	}
	if key == platform.Self {
		key = platform.Key{ID: b.kernel.Pid()}
	}
	p := &inspection{pass: v, key: key}
	if p.key, err = p.find(); err != nil {
		return nil, err
	}
	p.created = p.creationOf(key.ID)
	_, err = p.find() // what was read may be of somebody else
	if err != nil {
		return nil, err
	}
	return p, nil
}

// isZombie reports whether the process of psinfo has ended.
func (b *backend) isZombie() bool { return b.info[letterAt] == 'Z' }

// find reads psinfo again: who has the PID now is who it was.
func (p *inspection) find() (platform.Key, error) {
	if p.closed {
		return platform.Key{}, fs.ErrClosed
	}
	if err := p.ctx.Err(); err != nil {
		return platform.Key{}, err
	}
	if p.key.ID >= 1<<31 {
		return platform.Key{}, fmt.Errorf("there is no process %d: %w", p.key.ID, os.ErrProcessDone)
	}
	now, err := p.readInfo(p.key.ID)
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return platform.Key{}, fmt.Errorf("there is no process %d: %w", p.key.ID, os.ErrProcessDone)
	case err != nil:
		return platform.Key{}, fmt.Errorf("read %s: %w", p.path(p.key.ID, "psinfo"), err)
	case !p.isOwner(now):
		return platform.Key{}, fmt.Errorf("process %d has ended, and another has its PID: %w", p.key.ID, os.ErrProcessDone)
	case p.key.Start != 0:
		return p.key, nil
	}
	return now, nil
}

// isOwner reports whether who has the PID now is the process. A zombie does not tell when it
// began, and one that was opened as such has no start: when it was made tells, where it is
// known.
func (p *inspection) isOwner(now platform.Key) bool {
	switch {
	case p.key.Start != 0 && now.Start == p.key.Start:
		return true
	case p.key.Start != 0 && !p.isZombie():
		return false
	}
	return !p.isAnother(p.key.ID, p.created)
}

// owned is find for what a zombie does not have.
func (p *inspection) owned() error {
	_, err := p.find()
	if err == nil && p.isZombie() {
		err = platform.ErrZombie
	}
	return err
}

// detail is one detail: where it is read, and how.
type detail[T any] struct {
	from   string // below the folder of the process
	kernel bool   // the kernel's own processes have it too
	lacks  string // why nothing tells it, where of is nil
	of     func(*inspection) (T, error)
}

// tell reads a detail. What was read while the process ended may be of somebody else.
func tell[T any](p *inspection, d *detail[T]) (told T, err error) {
	if err := p.owned(); err != nil {
		return told, err
	}
	if !d.kernel && p.isSystem() {
		return told, platform.ErrKernelThread
	}
	if d.of == nil {
		return told, fmt.Errorf("%s: %w", d.lacks, errors.ErrUnsupported)
	}
	found, err := d.of(p)
	if gone := p.owned(); gone != nil {
		return told, gone
	}
	if err != nil {
		return told, fmt.Errorf("%s: %w", p.path(p.key.ID, d.from), err)
	}
	return found, nil
}

// file is the path of a file of the process.
func (p *inspection) file(name string) string { return p.path(p.key.ID, name) }

// Key returns the process's identity.
func (p *inspection) Key() platform.Key { return p.key }

// Close ends the inspection.
func (p *inspection) Close() error {
	p.closed = true
	return nil
}

// The details of a process, each with what it reads.
var (
	argumentsDetail   = detail[[]string]{from: "as", of: func(p *inspection) ([]string, error) { return p.texts(argvAt, int(layout.U32(p.info[:], argcAt))) }}
	environmentDetail = detail[[]string]{from: "as", of: func(p *inspection) ([]string, error) { return p.texts(envpAt, mostTexts) }}
	executableDetail  = linkDetail("path/a.out")
	workingDetail     = linkDetail("path/cwd")
	rootDetail        = linkDetail("path/root")
	affinityDetail    = detail[platform.Affinity]{from: "psinfo", kernel: true, of: (*inspection).affinity}
	openFilesDetail   = detail[[]platform.OpenFile]{from: "fdinfo", of: (*inspection).openFiles}
	connectionsDetail = detail[[]platform.Connection]{from: "fdinfo", of: (*inspection).connections}
	threadsDetail     = detail[[]platform.Thread]{from: "lpsinfo", kernel: true, of: (*inspection).threads}
	mapsDetail        = detail[[]platform.MemoryMap]{from: "xmap", of: (*inspection).maps}
	limitsDetail      = detail[[]platform.Limit]{lacks: "limits: getrctl(2) tells them to the process itself"}
	priorityDetail    = detail[platform.IOPriority]{kernel: true, lacks: "I/O priority: the kernel has none"}
	statsDetail       = detail[[]platform.SocketStats]{lacks: "statistics of sockets: no file of a process has them"}
)

// Arguments returns the argument vector.
func (p *inspection) Arguments() ([]string, error) { return tell(p, &argumentsDetail) }

// Environment returns the environment that the program was started with.
func (p *inspection) Environment() ([]string, error) { return tell(p, &environmentDetail) }

// Executable returns the program file.
func (p *inspection) Executable() (platform.Link, error) { return tell(p, &executableDetail) }

// WorkingDirectory returns the current folder.
func (p *inspection) WorkingDirectory() (platform.Link, error) { return tell(p, &workingDetail) }

// Root returns the folder that is the process's /.
func (p *inspection) Root() (platform.Link, error) { return tell(p, &rootDetail) }

// Affinity returns the CPUs that the process may run on.
func (p *inspection) Affinity() (platform.Affinity, error) { return tell(p, &affinityDetail) }

// IOPriority is unsupported.
func (p *inspection) IOPriority() (platform.IOPriority, error) { return tell(p, &priorityDetail) }

// OpenFiles returns the regular files that the process has open.
func (p *inspection) OpenFiles() ([]platform.OpenFile, error) { return tell(p, &openFilesDetail) }

// Connections returns the sockets of the process.
func (p *inspection) Connections() ([]platform.Connection, error) { return tell(p, &connectionsDetail) }

// SocketStats is unsupported.
func (p *inspection) SocketStats() ([]platform.SocketStats, error) { return tell(p, &statsDetail) }

// Threads returns the threads by their ID.
func (p *inspection) Threads() ([]platform.Thread, error) { return tell(p, &threadsDetail) }

// MemoryMaps returns the mappings by address.
func (p *inspection) MemoryMaps() ([]platform.MemoryMap, error) { return tell(p, &mapsDetail) }

// Limits is unsupported.
func (p *inspection) Limits() ([]platform.Limit, error) { return tell(p, &limitsDetail) }

// errNoName says that a link of /proc leads nowhere while the process lives: the file has no
// name any more, or the kernel has none in its cache (readlink(2) of path, proc(5)).
var errNoName = fmt.Errorf("the kernel knows no name of it: %w", errors.ErrUnsupported)

// linkDetail is a link below path.
func linkDetail(name string) detail[platform.Link] {
	return detail[platform.Link]{from: name, of: func(p *inspection) (platform.Link, error) {
		path, err := p.kernel.Link(p.file(name))
		if errors.Is(err, fs.ErrNotExist) {
			err = errNoName
		}
		return platform.Link{Path: path}, err
	}}
}

// texts reads a vector of texts out of the memory of the process.
func (p *inspection) texts(at, count int) ([]string, error) {
	b, err := p.readTexts(p.key.ID, nil, at, count)
	return split(b), gone(err)
}

// split takes apart texts that end in a NUL byte each.
func split(b []byte) []string {
	all := []string{}
	for len(b) > 0 {
		s := cString(b)
		all = append(all, string(s))
		b = b[min(len(s)+1, len(b)):]
	}
	return all
}

// readGrown reads a file of the process that is read at once, however long it is.
func (p *inspection) readGrown(name string) ([]byte, error) {
	path := p.file(name)
	answer, data, err := layout.Grow(p.data, func(buf []byte) (int, error) {
		n, err := p.kernel.Read(path, 0, buf)
		if err == nil && n == len(buf) {
			n *= 4 // there may be more
		}
		return n, err
	})
	p.data = data
	return answer, gone(err)
}
