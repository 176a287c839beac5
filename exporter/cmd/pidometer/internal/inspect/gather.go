package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"time"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// gatherer fills a document, and notes why something is missing.
type gatherer struct {
	Process
	from platform.Inspection
}

// Gather reads everything about one process. An error means that there is nothing
// to tell: no such process, or nobody who could tell.
func Gather(ctx context.Context, b platform.Backend, pid uint64, environment bool) (*Process, error) {
	inspector, ok := b.(platform.Inspector)
	if !ok {
		return nil, fmt.Errorf("details of processes: %w", errors.ErrUnsupported)
	}
	from, err := inspector.Inspect(ctx, platform.Key{ID: pid})
	if err != nil {
		return nil, err
	}
	defer from.Close()
	g := &gatherer{from: from}
	g.PID = pid
	g.CreationTime = b.Boot().Created(from.Key().Start).UTC()
	g.Missing = map[string]string{}
	if err := g.identity(); err != nil {
		return nil, err
	}
	g.sample(ctx, b)
	g.links()
	g.lists()
	g.kin()
	if environment {
		g.Environment = take(g, "environment", from.Environment, semconv.Spell)
	}
	g.share(ctx, b)
	return &g.Process, nil
}

// miss notes why a member is not there.
func (g *gatherer) miss(member string, err error) { g.Missing[member] = reason(err) }

// reason is why something is not there, in a word: these are different things.
func reason(err error) string {
	for _, known := range []struct {
		is   error
		word string
	}{
		{platform.ErrZombie, "zombie"}, {platform.ErrKernelThread, "kernel thread"},
		{fs.ErrPermission, "denied"}, {os.ErrProcessDone, "gone"}, {fs.ErrNotExist, "gone"}, {errors.ErrUnsupported, "unsupported"},
	} {
		if errors.Is(err, known.is) {
			return known.word
		}
	}
	return err.Error()
}

// take reads a list and turns each element into its form in the document.
func take[From, To any](g *gatherer, member string, read func() ([]From, error), form func(From) To) *[]To {
	all, err := read()
	if err != nil {
		g.miss(member, err)
		return nil
	}
	list := make([]To, 0, len(all))
	for _, one := range all {
		list = append(list, form(one))
	}
	return &list
}

func (g *gatherer) identity() error {
	id, err := g.from.Identity()
	if err != nil {
		return err
	}
	g.ParentPID = &id.Parent
	g.ExecutableName = spelled(&id.Command)
	g.Terminal, g.Owner, g.Nice, g.CPUNumber = spelled(id.Terminal), spelled(id.Owner), id.Nice, id.LastCPU
	g.CPU = &cpu{id.CPU.User.Seconds(), id.CPU.System.Seconds(), id.Children.User.Seconds(), id.Children.System.Seconds()}
	g.Users, g.Groups = idsOf(id.Users), idsOf(id.Groups)
	if id.PriorityClass != "" {
		g.PriorityClass = &id.PriorityClass
	}
	if id.State != nil {
		word := stateWords[*id.State]
		g.State = &word
	}
	return nil
}

var stateWords = map[platform.State]string{platform.StateRunning: "running", platform.StateSleeping: "sleeping",
	platform.StateStopped: "stopped", platform.StateDefunct: "defunct"}

func spelled(raw *string) *string {
	if raw == nil {
		return nil
	}
	s := semconv.Spell(*raw)
	return &s
}

func idsOf(i *platform.IDs) *ids {
	if i == nil {
		return nil
	}
	return &ids{i.Real, i.Effective, i.Saved}
}

// links reads what names other files, and what else comes one by one.
func (g *gatherer) links() {
	if exe, err := g.from.Executable(); err != nil {
		g.miss("executable_path", err)
	} else {
		g.ExecutablePath = spelled(&exe.Path)
		name := semconv.Spell(path.Base(exe.Path))
		g.ExecutableName = &name
	}
	if cwd, err := g.from.WorkingDirectory(); err != nil {
		g.miss("working_directory", err)
	} else {
		g.WorkingDirectory = spelled(&cwd.Path)
	}
	if a, err := g.from.Affinity(); err != nil {
		g.miss("cpu_affinity", err)
	} else {
		g.Affinity = &a.CPUs
	}
	if p, err := g.from.IOPriority(); err != nil {
		g.miss("io_priority", err)
	} else {
		g.IOPriority = &ioPriority{p.Class, p.Level}
	}
}

func (g *gatherer) lists() {
	g.Arguments = take(g, "command_args", g.from.Arguments, semconv.Spell)
	g.OpenFiles = take(g, "open_files", g.from.OpenFiles, func(f platform.OpenFile) openFile {
		return openFile{f.FD, semconv.Spell(f.Path), f.Position, f.Mode, f.Flags}
	})
	g.Connections = take(g, "connections", g.from.Connections, connectionOf)
	g.ThreadList = take(g, "threads", g.from.Threads, func(t platform.Thread) thread {
		return thread{t.Key.ID, semconv.Spell(t.Name), t.CPU.User.Seconds(), t.CPU.System.Seconds()}
	})
	g.Limits = take(g, "limits", g.from.Limits, func(l platform.Limit) limit {
		return limit{l.Name, bound(l.Soft), bound(l.Hard)}
	})
	g.Maps = take(g, "memory_maps", g.maps, mapGroupOf)
}

// kin reads the processes around this one.
func (g *gatherer) kin() {
	g.Children = take(g, "children", g.from.Children, func(r platform.Relative) relative {
		return relative{r.Key.ID, semconv.Spell(r.Command)}
	})
	if parents, err := g.from.Parents(); err == nil && len(parents) > 0 {
		g.parent = semconv.Spell(parents[0].Command)
	}
}

func bound(b platform.Bound) *uint64 {
	if b.Infinite {
		return nil
	}
	return &b.Value
}

// maps reads the mappings, and from their sizes what only they tell.
func (g *gatherer) maps() ([]platform.MapGroup, error) {
	maps, err := g.from.MemoryMaps()
	if err != nil {
		return nil, err
	}
	groups := platform.GroupMaps(maps)
	var uss, pss, swap uint64
	coarse := false // these systems tell no more than what is shared
	for i := range groups {
		use := groups[i].Use
		if use == nil {
			g.Missing["memory.uss"] = "denied"
			return groups, nil
		}
		uss, pss, swap, coarse = uss+use.USS(), pss+use.PSS, swap+use.Swap, coarse || use.Coarse
	}
	g.Memory["uss"] = uss
	if !coarse {
		g.Memory["pss"], g.Memory["swap"] = pss, swap
	}
	return groups, nil
}

func mapGroupOf(m platform.MapGroup) mapGroup {
	out := mapGroup{Path: semconv.Spell(m.Path), Count: m.Count, Size: m.Size}
	if m.Use != nil {
		uss := m.Use.USS()
		out.RSS, out.USS = &m.Use.RSS, &uss
		if !m.Use.Coarse {
			out.PSS, out.Swap = &m.Use.PSS, &m.Use.Swap
		}
	}
	return out
}

func connectionOf(c platform.Connection) connection {
	out := connection{FD: c.FD, Family: c.Family.String(), Type: c.Type.String(), State: c.State.String(),
		Transport: transport(c), Local: address(c.Local), Peer: address(c.Peer)}
	if c.Family == platform.FamilyUnix {
		out.Local = semconv.Spell(c.Path)
	}
	return out
}

func transport(c platform.Connection) string {
	switch {
	case c.Family == platform.FamilyUnix:
		return "unix"
	case c.Type == platform.TypeStream:
		return "tcp"
	case c.Type == platform.TypeDatagram:
		return "udp"
	}
	return c.Type.String()
}

func address(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// minute is a time for people.
func minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
