package worldtest

import (
	"errors"
	"io/fs"
	"math/bits"
)

// cpu answers the times of one CPU: five on NetBSD; on OpenBSD waiting for locks is
// between system and interrupt, and flags are behind.
func (k *Kernel) cpu(number int) []byte {
	t := k.World.CPUs[number]
	if !k.open {
		return words64(t[:]...)
	}
	online := uint64(1)
	if number == k.World.Offline {
		online = 0
	}
	return words64(t[0], t[1], t[2]/2, t[2]-t[2]/2, t[3], t[4], online)
}

// Memory is what a [Kernel] says of memory, in pages, and what it counts.
var Memory = map[string]uint64{
	"pagesize": Page, "npages": 100_000, "free": 20_000, "active": 30_000, "inactive": 10_000, "wired": 15_000,
	"swpages": 5000, "swpginuse": 50, "filepages": 9000, "execpages": 1000,
	"faults": 1 << 31, "intrs": 1 << 30, "swtch": 3 << 30, "softs": 77, "syscalls": 88, "pageins": 99, "pgswapin": 5, "pgswapout": 6,
}

func (k *Kernel) memory() []byte {
	s := k.h.memory
	b := make([]byte, s.Size)
	for name, v := range Memory {
		if _, ok := s.members[name]; ok {
			s.Put(b, name, v)
		}
	}
	s.Put(b, "forks", k.World.Forks)
	return b
}

func (k *Kernel) disks() (all []byte) {
	s := k.h.disk
	for _, d := range k.World.Disks {
		b := make([]byte, s.Size)
		s.PutText(b, "name", d.Name)
		s.PutAll(b, []Value{{"rxfer", d.Reads}, {"wxfer", d.Writes}, {"rbytes", d.ReadBytes}, {"wbytes", d.WriteBytes},
			{"time_sec", d.Busy / 1e6}, {"time_usec", d.Busy % 1e6}})
		all = append(all, b...)
	}
	return all
}

// interfaces answers messages about interfaces, each with one about an address behind.
func (k *Kernel) interfaces() (all []byte) {
	for i, f := range k.World.Interfaces {
		all = append(all, k.message(i, f)...)
		all = append(all, 24, 0, 4, 0x16)
		all = append(all, make([]byte, 20)...)
	}
	return all
}

func (k *Kernel) message(i int, f Interface) []byte {
	s := k.h.message
	b := make([]byte, s.Size)
	values := map[string]uint64{
		"version": 4, "type": 0x14, "index": uint64(i + 1), "data_type": 6, "mtu": 1500, "baudrate": f.Speed, "link_state": 1,
		"ipackets": f.In, "ibytes": f.InBytes, "ierrors": f.InErrors, "iqdrops": f.InDropped,
		"opackets": f.Out, "obytes": f.OutBytes, "oerrors": f.OutErrors, "flags": 0x8802,
	}
	up := uint64(2)
	if k.open {
		values["type"], values["version"], values["hdrlen"], values["oqdrops"], values["link_state"] = 0x0e, 5, uint64(s.Size), f.OutDrops, 2
		up = 4
	}
	if f.Up {
		values["link_state"] = up
	}
	address := []byte{2, 0, 0, 0, 0, byte(i)}
	if f.Loopback {
		values["data_type"], values["flags"], address = 0x18, 0x8049, nil
	}
	for name, v := range values {
		s.Put(b, name, v)
	}
	link := append([]byte{0, 18, byte(i + 1), 0, byte(values["data_type"]), byte(len(f.Name)), byte(len(address)), 0}, f.Name...)
	link = append(link, address...)
	link[0] = byte(len(link))
	b = append(b, link...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	s.Put(b, "msglen", uint64(len(b)))
	return b
}

// Mounts answers three mounts: the root, one that is read-only and whose reserve is
// used up, and one without blocks.
func (k *Kernel) Mounts(buf []byte) (int, error) {
	if err := k.call("mounts"); err != nil {
		return 0, err
	}
	s := k.h.mount
	var all []byte
	for i, point := range [...]string{"/", "/ro", "/kern"} {
		b := make([]byte, s.Size)
		s.PutText(b, "mntonname", point)
		s.PutText(b, "mntfromname", "/dev/sd0")
		s.PutText(b, "fstypename", [...]string{"ffs", "ffs", "kernfs"}[i])
		free := uint64(200 - 195*i)
		s.PutAll(b, []Value{{"flags", uint64(i & 1)}, {"bsize", 2048}, {"blocks", uint64(1000 * (2 - i))}, {"bfree", 200}, {"bavail", free - 10},
			{"files", 50}, {"ffree", 20}, {"fsid", uint64(7 + i)}})
		if _, ok := s.members["frsize"]; ok {
			s.PutAll(b, []Value{{"bsize", 16384}, {"frsize", 2048}})
		}
		all = append(all, b...)
	}
	return k.write(all, buf), nil
}

// File answers /etc/passwd, and two who are logged in among other records.
func (k *Kernel) File(path string) ([]byte, error) {
	if err := k.call(path); err != nil {
		return nil, err
	}
	switch path {
	case "/etc/passwd":
		return []byte("root:*:0:0:x:/:/bin/sh\ntoor:*:0:0:x:/:/bin/sh\n#no:*:5:\nuser:*:1000:0:x:/:/bin/sh\nbroken\nbad:*:1x:\n"), nil
	case "/var/run/utmp", "/var/run/utmpx":
		return k.logins(), nil
	}
	return nil, fs.ErrNotExist
}

func (k *Kernel) logins() (all []byte) {
	s := k.h.login
	for i, name := range [...]string{"", "ann", "bob", "boot"} {
		b := make([]byte, s.Size)
		s.PutText(b, "name", name)
		s.PutText(b, "line", "ttyp0")
		if !k.open {
			s.Put(b, "type", [...]uint64{10, 7, 7, 2}[i])
		} else if name == "boot" {
			continue
		}
		all = append(all, b...)
	}
	return all
}

// sensor answers hw.sensors: a processor with a temperature and a fan, a gap, a battery
// that is three quarters full, and a supply.
func sensor(args []int32) ([]byte, error) {
	device := Parse("int num char xname[16] int maxnumt[23] sensors_count")
	reading := Parse("char desc[32] u64 tv[2] value int type status numt flags")
	counts := [...]struct {
		name string
		of   map[int32]uint32
	}{{"cpu0", map[int32]uint32{0: 2, 1: 1, 2: 1}}, {}, {"acpibat0", map[int32]uint32{7: 4}}, {"acpiac0", map[int32]uint32{9: 1}}}
	if int(args[0]) >= len(counts) {
		return nil, fs.ErrNotExist
	}
	d := counts[args[0]]
	if d.name == "" {
		return nil, errors.ErrUnsupported
	}
	if len(args) == 1 {
		b := make([]byte, device.Size)
		device.PutText(b, "xname", d.name)
		for kind, n := range d.of {
			copy(b[device.At("maxnumt")+4*int(kind):], words32(n))
		}
		return b, nil
	}
	b := make([]byte, reading.Size)
	value := map[int32]uint64{0: 273_150_000 + 42_500_000, 1: 1200, 2: 12_000_000, 7: 40_000_000, 9: 1}[args[1]]
	if args[1] == 7 && args[2] == 3 {
		value = 30_000_000
	}
	reading.PutAll(b, []Value{{"value", value}, {"status", uint64(bits.OnesCount(uint(args[1] + 1)))}})
	if args[1] == 0 && args[2] == 1 {
		reading.Put(b, "flags", 1)
	}
	return b, nil
}
