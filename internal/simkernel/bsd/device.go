package bsd

import (
	"errors"
	"io/fs"
	"math/bits"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// cpu answers the times of one CPU: five on NetBSD; on OpenBSD waiting for locks is between
// system and interrupt, and flags are behind.
func (k *Kernel) cpu(number int) []byte {
	c := k.CPUs[number]
	if !k.open {
		return simkernel.Words64(ticks(c.User), ticks(c.Nice), ticks(c.System), ticks(c.Interrupt), ticks(c.Idle))
	}
	online, system := uint64(1), ticks(c.System)
	if number == k.Offline {
		online = 0
	}
	return simkernel.Words64(ticks(c.User), ticks(c.Nice), system/2, system-system/2, ticks(c.Interrupt), ticks(c.Idle), online)
}

func ticks(d time.Duration) uint64 { return uint64(d / (time.Second / Hz)) }

// counters are what a kernel says of memory, in pages, and what it counts.
var counters = map[string]uint64{"pagesize": Page, "active": 30_000, "inactive": 10_000, "wired": 15_000, "swpages": 5000, "swpginuse": 50,
	"faults": 1 << 31, "intrs": 1 << 30, "softs": 77, "syscalls": 88, "pageins": 99, "pgswapin": 5, "pgswapout": 6}

// caches are pages of files and programs, on NetBSD.
var caches = map[string]uint64{"filepages": 9000, "execpages": 1000}

func (k *Kernel) uvm() []byte {
	s := k.memory
	b := make([]byte, s.Size)
	for name, v := range counters {
		s.Put(b, name, v)
	}
	if !k.open {
		for name, v := range caches {
			s.Put(b, name, v)
		}
	}
	for name, v := range map[string]uint64{"npages": k.Memory / Page, "free": k.Free / Page, "swtch": k.Switches, "forks": k.Forks} {
		s.Put(b, name, v)
	}
	return b
}

func (k *Kernel) diskTable() (all []byte) {
	for _, d := range k.Disks {
		b := make([]byte, k.disk.Size)
		k.disk.PutText(b, "name", d.Name)
		for member, v := range map[string]uint64{"rxfer": d.Reads, "wxfer": d.Writes, "rbytes": d.ReadBytes, "wbytes": d.WriteBytes,
			"time_sec": seconds(d.Busy), "time_usec": micros(d.Busy)} {
			k.disk.Put(b, member, v)
		}
		all = append(all, b...)
	}
	return all
}

// links answers the loopback and the interfaces of the world, each with messages about its
// addresses behind.
func (k *Kernel) links() (all []byte) {
	addresses := simkernel.AddressMessage{Header: k.address, Type: 0x16, Version: 4, Align: 8, Inet6: 24}
	if k.open {
		addresses.Type, addresses.Version, addresses.Length = 0x0c, 5, "hdrlen"
	}
	lo := &simkernel.Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}
	for _, i := range append([]*simkernel.Interface{lo}, k.Interfaces...) {
		all = append(all, k.link(i, i == lo)...)
		all = append(all, addresses.Of(i, i == lo)...)
	}
	return all
}

func (k *Kernel) link(i *simkernel.Interface, loopback bool) []byte {
	s := k.message
	b := make([]byte, s.Size)
	values := map[string]uint64{"version": 4, "type": 0x14, "index": uint64(i.Index), "data_type": 6, "mtu": i.MTU, "baudrate": 1e9, "link_state": 1,
		"ipackets": i.ReceivedPackets, "ibytes": i.ReceivedBytes, "ierrors": i.ReceiveErrors, "iqdrops": i.ReceiveDropped,
		"opackets": i.SentPackets, "obytes": i.SentBytes, "oerrors": i.SendErrors, "flags": 0x8843}
	up := uint64(2)
	if k.open {
		values["type"], values["version"], values["hdrlen"], values["link_state"] = 0x0e, 5, uint64(s.Size), 2
		up = 4
	}
	if i.Up {
		values["link_state"] = up
	}
	address := []byte{2, 0, 0, 0, 0, byte(i.Index)}
	if loopback {
		values["data_type"], values["flags"], address = 0x18, 0x8049, nil
	}
	for name, v := range values {
		s.Put(b, name, v)
	}
	link := append([]byte{0, 18, byte(i.Index), 0, byte(values["data_type"]), byte(len(i.Name)), byte(len(address)), 0}, i.Name...)
	link = append(link, address...)
	link[0] = byte(len(link))
	b = append(b, link...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	s.Put(b, "msglen", uint64(len(b)))
	return b
}

// Mounts answers three mounts: the root, one that is read-only and whose reserve is used up,
// and one without blocks.
func (k *Kernel) Mounts(buf []byte) (int, error) {
	if err := k.Call("mounts"); err != nil {
		return 0, err
	}
	s := k.mount
	var all []byte
	for i, point := range [...]string{"/", "/ro", "/kern"} {
		b := make([]byte, s.Size)
		s.PutText(b, "mntonname", point)
		s.PutText(b, "mntfromname", "/dev/sd0")
		s.PutText(b, "fstypename", [...]string{"ffs", "ffs", "kernfs"}[i])
		free := uint64(200 - 195*i)
		for member, v := range map[string]uint64{"flags": uint64(i & 1), "bsize": 2048, "blocks": uint64(1000 * (2 - i)), "bfree": 200, "bavail": free - 10,
			"files": 50, "ffree": 20, "fsid": uint64(7 + i)} {
			s.Put(b, member, v)
		}
		if !k.open {
			s.Put(b, "bsize", 16384)
			s.Put(b, "frsize", 2048)
		}
		all = append(all, b...)
	}
	return k.Write(all, buf, nil)
}

// File answers /etc/passwd, and two who are logged in among other records.
func (k *Kernel) File(path string) ([]byte, error) {
	if err := k.Call(path); err != nil {
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

// Since is when those who are logged in did so.
var Since = time.Unix(1_790_000_100, 0)

func (k *Kernel) logins() (all []byte) {
	for i, name := range [...]string{"", "ann", "bob", "boot"} {
		b := make([]byte, k.login.Size)
		k.login.PutText(b, "name", name)
		k.login.PutText(b, "line", "ttyp0")
		k.login.PutText(b, "host", "there.example")
		k.login.Put(b, "tv_sec", uint64(Since.Unix()))
		if !k.open {
			k.login.Put(b, "type", [...]uint64{10, 7, 7, 2}[i])
			k.login.Put(b, "pid", 77)
		} else if name == "boot" {
			continue
		}
		all = append(all, b...)
	}
	return all
}

// sensor answers hw.sensors: a processor with temperatures, a fan and a voltage, a gap, a
// battery that is three quarters full, and a supply.
func (k *Kernel) sensor(args []int32) ([]byte, error) {
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
		b := make([]byte, k.device.Size)
		k.device.PutText(b, "xname", d.name)
		for kind, n := range d.of {
			copy(b[k.device.Offset("maxnumt")+4*int(kind):], simkernel.Words32(n))
		}
		return b, nil
	}
	b := make([]byte, k.headers.sensor.Size)
	value := map[int32]uint64{0: 273_150_000 + 42_500_000, 1: 1200, 2: 12_000_000, 7: 40_000_000, 9: 1}[args[1]]
	if args[1] == 7 && args[2] == 3 {
		value = 30_000_000
	}
	k.headers.sensor.Put(b, "value", value)
	k.headers.sensor.Put(b, "status", uint64(bits.OnesCount(uint(args[1]+1))))
	if args[1] == 0 && args[2] == 1 {
		k.headers.sensor.Put(b, "flags", 1)
	}
	return b, nil
}
