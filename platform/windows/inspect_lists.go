package windows

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/pidometer/pidometer/internal/kin"
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Threads returns the threads by their ID. They have no names here.
func (p *inspection) Threads() ([]platform.Thread, error) {
	v, err := p.find()
	if err != nil {
		return nil, err
	}
	if v.ended {
		return nil, platform.ErrZombie
	}
	threads := []platform.Thread{}
	for i := range v.count {
		t := p.pass.table.thread(v.entry, i)
		thread := platform.Thread{Key: platform.Key{ID: t.id, Start: max(t.create, unixEpoch) - unixEpoch}, CPU: cpuTimes(t.user, t.kernel)}
		if state, ok := t.told(); ok {
			thread.State = &state
		}
		threads = append(threads, thread)
	}
	slices.SortFunc(threads, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return threads, nil
}

// told returns the state of a thread in the words of a process's.
func (t *threadEntry) told() (platform.State, bool) {
	switch {
	case runnable(t.state):
		return platform.StateRunning, true
	case t.state == threadWaiting && (t.wait == waitSuspended || t.wait == waitWrSuspended):
		return platform.StateStopped, true
	}
	return platform.StateSleeping, t.state != threadInitialized
}

// everybody is the table of all processes, while this one lives.
func (p *inspection) everybody() ([]platform.Relative, error) {
	if _, err := p.find(); err != nil {
		return nil, err
	}
	all := make([]platform.Relative, 0, len(p.entries))
	for _, e := range p.entries {
		p.text = p.text[:0]
		all = append(all, platform.Relative{Key: p.keyOf(e), Parent: p.parentOf(e), Command: string(p.lend(p.pass.table.name(e)))})
	}
	return all, nil
}

// Children returns the processes that this one is the parent of.
func (p *inspection) Children() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, false)
}

// Descendants returns children, their children and so on.
func (p *inspection) Descendants() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, true)
}

// Parents returns the parent, its parent and so on.
func (p *inspection) Parents() ([]platform.Relative, error) { return kin.Above(p.everybody, p.key.ID) }

// noDescriptor is the number of a socket's handle, which its table does not tell.
const noDescriptor = -1

// Connections returns the TCP and UDP sockets of the process.
func (p *inspection) Connections() ([]platform.Connection, error) {
	v, err := p.owned()
	if err != nil {
		return nil, err
	}
	connections := []platform.Connection{}
	h := hostPass{reader: &p.reader}
	for table := range socketTables {
		err := h.sockets(func(b []byte, row *socketRow) {
			if uint64(layout.U32(b, row.pid)) == v.key.ID {
				connections = append(connections, decodeConnection(b, row, table))
			}
		}, table)
		if err != nil && !(errors.Is(err, errors.ErrUnsupported) && (table == TCP6 || table == UDP6)) {
			return nil, named("GetExtendedTcpTable", err)
		}
	}
	return connections, nil
}

// decodeConnection reads one row of a table of sockets.
func decodeConnection(b []byte, row *socketRow, table SocketTable) platform.Connection {
	c := platform.Connection{FD: noDescriptor, Family: platform.FamilyInet, Type: platform.TypeStream, Local: decodeAddress(b, row, row.local, row.localPort)}
	if table == TCP6 || table == UDP6 {
		c.Family = platform.FamilyInet6
	}
	if row.state < 0 {
		c.Type = platform.TypeDatagram
		return c
	}
	c.State = tcpState(layout.U32(b, row.state))
	if c.State != platform.TCPListen {
		c.Peer = decodeAddress(b, row, row.remote, row.remotePort)
	}
	return c
}

// decodeAddress reads an address and a port, both in network order.
func decodeAddress(b []byte, row *socketRow, at, port int) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(b[at : at+row.address])
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[port:]))
}

// Offsets in SYSTEM_HANDLE_INFORMATION_EX: a count and a reserved word, and rows of
// an object, a PID, a handle, the granted access and four numbers more.
const (
	classHandles  = 64
	handleWords   = 2
	handlePid     = 1
	handleValue   = 2
	handleNumbers = 16
)

// decodeHandles calls each with every handle of a process.
func decodeHandles(b []byte, word int, pid uint64, each func(handle uint64)) (whole bool) {
	if len(b) < handleWords*word {
		return false
	}
	count := layout.Word(b, 0, word)
	size := 3*word + handleNumbers
	b = b[handleWords*word:]
	if count > uint64(len(b)/size) {
		return false
	}
	for range count {
		if layout.Word(b, handlePid*word, word) == pid {
			each(layout.Word(b, handleValue*word, word))
		}
		b = b[size:]
	}
	return true
}

// OpenFiles returns the regular files that the process has open. What a handle leads
// to may never be told, as of a pipe that somebody waits on: the list then ends with
// [os.ErrDeadlineExceeded].
func (p *inspection) OpenFiles() ([]platform.OpenFile, error) {
	v, err := p.owned()
	if err != nil {
		return nil, err
	}
	answer, grown, err := layout.Grow(p.table, func(buf []byte) (int, error) { return p.kernel.System(classHandles, buf) })
	p.table = grown
	if err != nil {
		return nil, named("SystemExtendedHandleInformation", err)
	}
	var handles []uint64
	if !decodeHandles(answer, p.word, v.key.ID, func(h uint64) { handles = append(handles, h) }) {
		return nil, named("SystemExtendedHandleInformation", errContent)
	}
	h, err := p.openAs(v, processDuplicate|processQueryLimited)
	if err != nil {
		return nil, named("DuplicateHandle", err)
	}
	budget := p.options.Budget
	if budget <= 0 {
		budget = defaultBudget
	}
	return filesOf(p.kernel, h, handles, budget)
}

// filesOf asks in a goroutine of its own, which is left behind if it gets no answer.
func filesOf(k Kernel, process Handle, handles []uint64, budget time.Duration) ([]platform.OpenFile, error) {
	done := make(chan []platform.OpenFile, 1)
	go func() {
		files := []platform.OpenFile{}
		for _, h := range handles {
			if path, err := k.File(process, h); err == nil {
				files = append(files, platform.OpenFile{FD: int(h), Path: path})
			}
		}
		k.Close(process)
		done <- files
	}()
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case files := <-done:
		slices.SortFunc(files, func(a, b platform.OpenFile) int { return cmp.Compare(a.FD, b.FD) })
		return files, nil
	case <-timer.C:
		return nil, fmt.Errorf("a handle does not tell what it leads to: %w", errors.Join(os.ErrDeadlineExceeded, fs.ErrPermission))
	}
}
