package solaris

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"unsafe"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// pointed is memory that an answer goes to, by the address that was asked with.
func pointed(at []byte, n int) []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at[0]))), n)
}

// errMessage says that a request is not one for tables.
var errMessage = errors.New("bad message")

// numbers are the states by what platform calls them, from established on.
var numbers = [...]uint64{1: 5, 3, 4, 6, 7, 11, 1, 8, 9, 2, 10}

// entryOf is a socket in its table.
func entryOf(p *simkernel.Process) []byte {
	tcp, udp := tcpEntry, udpEntry
	if p.Wide() {
		tcp, udp = tcp6Entry, udp6Entry
	}
	if !p.IsTCP() {
		b := make([]byte, udp.Size)
		copy(b[udp.Offset("local"):], p.Local().Addr().AsSlice())
		udp.Put(b, "localport", uint64(p.Local().Port()))
		return b
	}
	b := make([]byte, tcp.Size)
	for _, end := range []struct {
		of         netip.AddrPort
		host, port string
	}{{p.Local(), "local", "localport"}, {p.Peer(), "remote", "remoteport"}} {
		copy(b[tcp.Offset(end.host):], end.of.Addr().AsSlice())
		tcp.Put(b, end.port, uint64(end.of.Port()))
	}
	tcp.Put(b, "state", numbers[p.TCPState()])
	tcp.Put(b, "pid", p.PID)
	return b
}

// Messages answers with a table that nobody wants, an empty one, and those of sockets.
func (k *Kernel) Messages(request []byte, next func(control []byte) (room []byte)) error {
	if err := k.Call("putmsg"); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(request) != 9 || binary.LittleEndian.Uint32(request[optmgmt.Size:]) != 260 {
		return errMessage
	}
	tables := map[[2]uint64][]byte{}
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie {
			continue
		}
		of := map[[2]bool][2]uint64{{true, false}: {262, 13}, {true, true}: {270, 14}, {false, false}: {263, 5}, {false, true}: {271, 6}}[[2]bool{p.IsTCP(), p.Wide()}]
		tables[of] = append(tables[of], entryOf(p)...)
	}
	tables[[2]uint64{260, 20}] = []byte("addresses")
	for _, of := range [][2]uint64{{260, 20}, {262, 13}, {270, 14}, {263, 5}, {271, 6}, {}} {
		control := make([]byte, optmgmt.Size+opthdr.Size)
		for member, v := range map[string]uint64{"PRIM_type": 22, "OPT_length": uint64(opthdr.Size), "OPT_offset": uint64(optmgmt.Size), "MGMT_flags": 0x20} {
			optmgmt.Put(control, member, v)
		}
		data := tables[of]
		opthdr.Put(control[optmgmt.Size:], "level", of[0])
		opthdr.Put(control[optmgmt.Size:], "name", of[1])
		opthdr.Put(control[optmgmt.Size:], "len", uint64(len(data)))
		cut := make([]byte, len(control))
		room := next(cut[:k.write(control, cut)])
		if room == nil {
			return k.Call("getmsg")
		}
		copy(room, data)
	}
	return errMessage
}

// Swap answers how many areas there are, and fills in a table of them.
func (k *Kernel) Swap(command int, table []byte) (int, error) {
	if command == 4 {
		return 2, k.Call("SC_GETNSWP")
	}
	if err := k.Call("SC_LIST"); err != nil {
		return 0, err
	}
	for i, path := range []string{"/dev/zvol/dsk/rpool/swap", "/swapfile"} {
		b := table[8+i*swapent.Size:]
		copy(pointed(b[swapent.Offset("path"):], 1024), path+"\x00")
		swapent.Put(b, "pages", uint64(1000*(i+1)))
		swapent.Put(b, "free", 900)
	}
	return 2, nil
}

// Info answers the serial number of the machine.
func (k *Kernel) Info(_ int, text []byte) (int, error) {
	return copy(text, "3735928559\x00"), k.Call("sysinfo")
}
