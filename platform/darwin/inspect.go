package darwin

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Details returns where this backend reads each detail.
func Details() []platform.DetailSource { return new(machine).dialect().DetailSources() }

// again is a dialect with memory of its own, for who asks beside a pass.
func (m *machine) again() *sysctl.Dialect {
	return (&machine{kernel: m.kernel, frequency: m.frequency}).dialect()
}

// More flavors of proc_info(2).
const (
	callFileInfo = 3 // PROC_INFO_CALL_PIDFDINFO

	flavorRegionPath = 8  // PROC_PIDREGIONPATHINFO
	flavorFolders    = 9  // PROC_PIDVNODEPATHINFO
	flavorThread     = 15 // PROC_PIDTHREADID64INFO
	flavorThreads    = 28 // PROC_PIDLISTTHREADIDS, since macOS 10.13
	flavorFile       = 2  // PROC_PIDFDVNODEPATHINFO
	flavorSocket     = 3  // PROC_PIDFDSOCKETINFO
)

// details is what macOS tells of one process.
func (m *machine) details() sysctl.Details {
	return sysctl.Details{
		Identity: sysctl.IdentityTable{
			Group: 564, Terminal: 572, RealUser: 392, SavedUser: 396, RealGroup: 400, SavedGroup: 404,
			Groups: 428, GroupCount: 424, EffectiveFirst: true,
			Reads: []string{"getpwuid", "/dev", "proc_info PROC_PIDTASKINFO", "proc_info RUSAGE_INFO_V2"},
			More:  m.identify, Name: m.user,
		},
		Kernel:    func(r sysctl.Row) bool { return r.U32(table().PID) == 0 },
		Arguments: m.words("arguments", 0), Environment: m.words("environment", 1),
		Executable:       sysctl.Detail[platform.Link]{Reads: []string{"proc_info PROC_PIDPATHINFO"}, Of: m.program},
		WorkingDirectory: m.folder(0), Root: m.folder(1),
		Affinity:  sysctl.Detail[platform.Affinity]{Lacks: "the kernel lets nobody choose CPUs for a process"},
		Limits:    sysctl.Detail[[]platform.Limit]{Lacks: "the kernel tells limits to the process itself alone"},
		OpenFiles: m.regularFiles(), Connections: m.connections(), Threads: m.threads(), MemoryMaps: m.memoryMaps(),
	}
}

// taskPriority is in struct proc_taskinfo.
const taskPriority = 92

// identify sets what the threads of a process tell: whether it runs, its times and its
// priority.
func (m *machine) identify(_ *sysctl.Inspection, v *sysctl.Visit, id *platform.Identity) {
	if v.State == platform.StateDefunct && v.Known {
		return
	}
	var s platform.Sample
	s.Reset(platform.Process, v.Key)
	if b, err := m.info(v.Key.ID, callPidInfo, flavorTask, 0, taskSize); err == nil {
		state := m.setTask(&s, b)
		if !v.Known {
			id.State = &state
		}
		priority := int(b.U32(taskPriority))
		id.Priority = &priority
	}
	if b, err := m.info(v.Key.ID, callRusage, flavorUsage, 0, usageSize); err == nil {
		m.setUsage(&s, b)
	}
	for f, to := range map[platform.Field]*time.Duration{platform.ProcessCPUUser: &id.CPU.User, platform.ProcessCPUSystem: &id.CPU.System,
		platform.ProcessChildCPUUser: &id.Children.User, platform.ProcessChildCPUSystem: &id.Children.System} {
		if v, ok := s.Get(f); ok {
			*to = time.Duration(v)
		}
	}
}

// words are the arguments or the environment of a process.
func (m *machine) words(name string, which int) sysctl.Detail[[]string] {
	return sysctl.Detail[[]string]{Reads: []string{"kern.procargs2 " + name}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]string, error) {
			b, err := m.argumentsOf(p.Pass, v.Key.ID)
			if err != nil {
				return nil, err
			}
			arguments, environment, ok := decodeArguments(b)
			if !ok {
				return nil, sysctl.ErrContent
			}
			return sysctl.Strings([2][]byte{arguments, environment}[which]), nil
		}}
}

// program is the path of the program.
func (m *machine) program(_ *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
	b := m.room[:pathRoom]
	clear(b)
	_, err := m.kernel.ProcInfo(callPidInfo, int32(v.Key.ID), flavorPath, 0, b)
	return platform.Link{Path: sysctl.CString(b)}, err
}

// struct vnode_info_path (sys/proc_info.h): struct vnode_info, and a path of 1024 bytes.
const (
	vnodeDevice   = 0
	vnodeInode    = 8
	vnodeKind     = 136
	vnodePath     = 152
	vnodeSize     = 1176
	regularVnode  = 1 // VREG
	foldersLength = 2 * vnodeSize
)

// folder is one of the two of a process. It has none of its own as its root, unless by
// chroot(2).
func (m *machine) folder(which int) sysctl.Detail[platform.Link] {
	return sysctl.Detail[platform.Link]{Reads: []string{"proc_info PROC_PIDVNODEPATHINFO"}, Needs: needsSameUser,
		Of: func(_ *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
			b, err := m.info(v.Key.ID, callPidInfo, flavorFolders, 0, foldersLength)
			if err != nil {
				return platform.Link{}, err
			}
			path := sysctl.CString(b[which*vnodeSize+vnodePath : (which+1)*vnodeSize])
			if path == "" && which == 1 {
				path = "/"
			}
			return platform.Link{Path: path}, nil
		}}
}

// struct proc_threadinfo (sys/proc_info.h). Times are nanoseconds (fill_taskthreadinfo in
// osfmk/kern/bsd_kern.c).
const (
	threadSize   = 112
	threadUser   = 0
	threadSystem = 8
	threadState  = 24
	threadName   = 48
)

// threads are those of a process, one call for each. One that ends meanwhile is left out.
func (m *machine) threads() sysctl.Detail[[]platform.Thread] {
	return sysctl.Detail[[]platform.Thread]{Reads: []string{"proc_info PROC_PIDLISTTHREADIDS", "proc_info PROC_PIDTHREADID64INFO"}, Needs: needsSameUser,
		Kernel: true, Of: func(_ *sysctl.Inspection, v *sysctl.Visit) ([]platform.Thread, error) {
			ids, err := m.list(v.Key.ID, flavorThreads, 8)
			if err != nil {
				return nil, err
			}
			all := []platform.Thread{}
			for ; len(ids) >= 8; ids = ids[8:] {
				id := layout.U64(ids, 0)
				b, err := m.info(v.Key.ID, callPidInfo, flavorThread, id, threadSize)
				if errors.Is(err, os.ErrProcessDone) {
					continue
				}
				if err != nil {
					return nil, err
				}
				all = append(all, threadOf(id, b))
			}
			slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
			return all, nil
		}}
}

// threadOf describes a thread. When it was made is not told.
func threadOf(id uint64, b sysctl.Row) platform.Thread {
	t := platform.Thread{Key: platform.Key{ID: id}, Name: sysctl.CString(b[threadName:threadSize]),
		CPU: platform.CPUTimes{User: time.Duration(b.U64(threadUser)), System: time.Duration(b.U64(threadSystem))}}
	if state, ok := threadStates[b.U32(threadState)]; ok {
		t.State = &state
	}
	return t
}

// threadStates are TH_STATE_* of sys/proc_info.h: running, stopped, waiting, uninterruptible
// and halted.
var threadStates = map[uint64]platform.State{1: platform.StateRunning, 2: platform.StateStopped, 3: platform.StateSleeping,
	4: platform.StateSleeping, 5: platform.StateStopped}

// More of struct proc_regioninfo, and struct vnode_info_path behind it.
const (
	regionProtection = 0
	regionOffset     = 16
	regionResident   = 36 // pages
	regionPathSize   = regionSize + vnodeSize
	regionVnode      = regionSize

	shareShared, shareTrue = 4, 5 // SM_SHARED, SM_TRUESHARED
)

// memoryMaps are the regions of a process, one call for each.
func (m *machine) memoryMaps() sysctl.Detail[[]platform.MemoryMap] {
	return sysctl.Detail[[]platform.MemoryMap]{Reads: []string{"proc_info PROC_PIDREGIONPATHINFO"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.MemoryMap, error) {
			all := []platform.MemoryMap{}
			err := m.eachRegion(v.Key.ID, flavorRegionPath, regionPathSize, func(r sysctl.Row) { all = append(all, mapOf(r, p.Page())) })
			return all, err
		}}
}

// mapOf describes a region.
func mapOf(r sysctl.Row, page uint64) platform.MemoryMap {
	mode := r.U32(regionShare)
	resident := r.U32(regionResident) * page
	private := min(uniqueOf(r)*page, resident)
	start := r.U64(regionAddress)
	return platform.MemoryMap{Start: start, End: start + r.U64(regionLength), Offset: r.U64(regionOffset),
		Permissions: sysctl.Permissions(r.U32(regionProtection), mode == shareShared || mode == shareTrue),
		Device:      r.U32(regionVnode + vnodeDevice), Inode: r.U64(regionVnode + vnodeInode), Path: sysctl.CString(r[regionVnode+vnodePath:]),
		Use: &platform.MemoryUse{RSS: resident, PrivateDirty: private, SharedDirty: resident - private, Coarse: true}}
}

// eachRegion calls each with every region of a process.
func (m *machine) eachRegion(pid uint64, flavor int32, size int, each func(sysctl.Row)) error {
	address := uint64(0)
	for range mostRegions {
		r, err := m.info(pid, callPidInfo, flavor, address, size)
		if errors.Is(err, fs.ErrInvalid) {
			return nil // no region is there, or behind
		}
		if err != nil {
			return err
		}
		each(r)
		next := r.U64(regionAddress) + r.U64(regionLength)
		if next <= address {
			return nil
		}
		address = next
	}
	return fmt.Errorf("more than %d regions: %w", mostRegions, sysctl.ErrContent)
}
