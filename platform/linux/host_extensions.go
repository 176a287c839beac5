package linux

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"strconv"

	"github.com/pidometer/pidometer/platform"
)

const (
	// softBits is how wide each CPU counts its soft interrupts (struct kernel_stat in
	// include/linux/kernel_stat.h).
	softBits = 32
	// smallPage is the size of a page where a counter of pages can wrap: on kernels of
	// 32 bits it is 4 KiB, but for those that were built otherwise.
	smallPage = 4096
)

// addExtensions describes the sources of what the conventions have no metric for.
func addExtensions(s []platform.Source, word uint8) {
	s[fromFileHandles] = level("/proc/sys/fs/file-nr", platform.Host, 5, 1,
		platform.HostFileHandles, platform.HostFileHandleLimit)
	s[fromConntrack] = level("/proc/sys/net/netfilter", platform.Host, 10, 2,
		platform.HostConntrack, platform.HostConntrackLimit)
	s[fromSockstat] = level("/proc/net/sockstat", platform.Host, 15, 2,
		platform.HostSockets, platform.HostTCPInUse, platform.HostTCPOrphaned, platform.HostTCPTimeWaiting,
		platform.HostTCPAllocated, platform.HostTCPMemory, platform.HostUDPInUse, platform.HostUDPMemory)
	s[fromSNMP] = snmpSource(word)
	s[fromNetstat] = counters("/proc/net/netstat", 30, 1, word,
		platform.HostTCPListenOverflows, platform.HostTCPListenDrops)
	s[fromSessions] = level("/run/utmp", platform.Host, 15, 1, platform.HostSessions)
	s[fromMTU] = level("/sys/class/net/[interface]/mtu", platform.Network, 10, 2, platform.NetworkMTU)
	s[fromPressure] = pressureSource()
	s[fromNodes] = nodesSource(word)
}

// counters is a source of the host's counters, word bits wide.
func counters(name string, cost, files int, word uint8, fields ...platform.Field) platform.Source {
	s := level(name, platform.Host, cost, files, fields...)
	for i := range s.Gives {
		s.Gives[i].Bits = word
	}
	return s
}

// snmpSource: each CPU counts in an unsigned long, and those of IP in 64 bits (struct
// ipstats_mib and tcp_mib in include/net/snmp.h).
func snmpSource(word uint8) platform.Source {
	s := counters("/proc/net/snmp", 40, 2, word,
		platform.HostTCPSegmentsReceived, platform.HostTCPSegmentsSent, platform.HostTCPRetransmits,
		platform.HostTCPErrors, platform.HostTCPActiveOpens, platform.HostTCPPassiveOpens,
		platform.HostTCPAttemptFails, platform.HostTCPResets,
		platform.HostUDP4Received, platform.HostUDP4Sent, platform.HostUDP4Errors,
		platform.HostUDP4ReceiveBufferErrors, platform.HostUDP4SendBufferErrors,
		platform.HostUDP6Received, platform.HostUDP6Sent, platform.HostUDP6Errors,
		platform.HostUDP6ReceiveBufferErrors, platform.HostUDP6SendBufferErrors)
	s.Gives = append(s.Gives,
		platform.Given{Field: platform.HostIPv4Received}, platform.Given{Field: platform.HostIPv4Sent},
		platform.Given{Field: platform.HostIPv6Received}, platform.Given{Field: platform.HostIPv6Sent})
	return s
}

// wrap makes a sum of counters, each bits wide, one counter as wide: as soon as one
// of them wraps, the sum falls by the whole of its width, wherever it stood.
func wrap(s *platform.Sample, f platform.Field, bits uint8) {
	if v, ok := s.Get(f); ok && bits < 64 {
		s.Set(f, v&(1<<bits-1))
	}
}

// readExtensions reads what of the host the conventions have no metric for.
func (p *hostPass) readExtensions() {
	p.readFileHandles()
	p.readConntrack()
	p.readSockstat()
	p.readSNMP()
	p.readNetstat()
	p.readSessions()
}

func (p *hostPass) readFileHandles() {
	if b, ok := p.table(fromFileHandles, "proc/sys/fs/file-nr"); ok {
		before := p.host.sample.Len()
		decodeFileHandles(b, &p.host.sample)
		p.told(fromFileHandles, before)
	}
}

// readConntrack reads the table of tracked connections of the reading process's own
// network namespace. A kernel that tracks none has no such files.
func (p *hostPass) readConntrack() {
	if !p.wants(fromConntrack) {
		return
	}
	const folder = "proc/sys/net/netfilter/nf_conntrack_"
	count, err := p.number(folder, "count")
	if err != nil {
		p.miss(fromConntrack, missReason(err))
		return
	}
	p.host.sample.Set(platform.HostConntrack, count)
	if most, err := p.number(folder, "max"); err == nil && most != 0 { // 0 is no limit
		p.host.sample.Set(platform.HostConntrackLimit, most)
	}
}

// readSockstat reads the sockets in use of both families. What they hold together
// is in the first file; a kernel without IPv6 has no second one.
func (p *hostPass) readSockstat() {
	b, ok := p.table(fromSockstat, p.net, "sockstat")
	if !ok {
		return
	}
	before := p.host.sample.Len()
	stat := decodeSockstat(b)
	if b, err := p.file(p.net, "sockstat6"); err == nil {
		stat.add6(b)
	}
	stat.set(&p.host.sample, p.kernel.PageSize())
	p.told(fromSockstat, before)
}

// readSNMP reads the counters of both families. IPv4 and TCP are in the first file;
// a kernel without IPv6 has no second one.
func (p *hostPass) readSNMP() {
	b, ok := p.table(fromSNMP, p.net, "snmp")
	if !ok {
		return
	}
	before := p.host.sample.Len()
	decodeSNMP(b, &p.host.sample)
	b, err := p.file(p.net, "snmp6")
	if err == nil {
		decodeSNMP6(b, &p.host.sample)
	} else if !errors.Is(err, fs.ErrNotExist) {
		p.miss(fromSNMP, missReason(err))
	}
	p.told(fromSNMP, before)
}

func (p *hostPass) readNetstat() {
	if b, ok := p.table(fromNetstat, p.net, "netstat"); ok {
		before := p.host.sample.Len()
		decodeSNMP(b, &p.host.sample)
		p.told(fromNetstat, before)
	}
}

// readSessions counts the users that are logged in. A record whose process is gone
// was left behind.
func (p *hostPass) readSessions() {
	if !p.wants(fromSessions) {
		return
	}
	b, err := p.small("run/utmp")
	if errors.Is(err, fs.ErrNotExist) {
		b, err = p.small("var/run/utmp")
	}
	if err != nil {
		p.miss(fromSessions, missReason(err))
		return
	}
	p.host.sample.Set(platform.HostSessions, p.countSessions(b))
}

func (p *hostPass) countSessions(b []byte) (count uint64) {
	layout := utmpFor(b)
	for ; len(b) >= layout.size; b = b[layout.size:] {
		if binary.NativeEndian.Uint16(b[utmpType:]) != userProcess {
			continue
		}
		pid := uint64(binary.NativeEndian.Uint32(b[utmpPID:]))
		p.path = append(strconv.AppendUint(append(p.path[:0], "proc/"...), pid, 10), 0)
		if _, err := p.kernel.Stat(p.root, p.path); err == nil {
			count++
		}
	}
	return count
}
