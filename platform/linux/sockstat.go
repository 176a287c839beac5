package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// What is read of sockstat.
const (
	sockUsed = iota
	sockTCPInUse
	sockTCPOrphan
	sockTCPTimeWait
	sockTCPAllocated
	sockTCPMemory
	sockUDPInUse
	sockUDPMemory
	numSock
)

// sockstat is how many sockets there are, and the pages that they hold.
type sockstat struct {
	read   uint16 // a bit for each that is there
	values [numSock]uint64
}

// decodeSockstat reads /proc/net/sockstat (sockstat_seq_show in net/ipv4/proc.c).
//
//	sockets: used 14
//	TCP: inuse 1 orphan 0 tw 69 alloc 1 mem 218
//	UDP: inuse 0 mem 0
func decodeSockstat(b []byte) (s sockstat) {
	for line := range text.Lines(text.Whole(b)) {
		s.pairs(line)
	}
	return s
}

// pairs takes the names and numbers of one line.
func (s *sockstat) pairs(line []byte) {
	title, rest := text.Field(line)
	for {
		name, value := text.Field(rest)
		v, next, ok := text.UintField(value)
		if !ok {
			return
		}
		if i := sockLine(title, name); i >= 0 {
			s.values[i] = v
			s.read |= 1 << i
		}
		rest = next
	}
}

func sockLine(title, name []byte) int {
	switch string(title) {
	case "sockets:":
		if string(name) == "used" {
			return sockUsed
		}
	case "TCP:":
		return sockTCP(name)
	case "UDP:":
		switch string(name) {
		case "inuse":
			return sockUDPInUse
		case "mem":
			return sockUDPMemory
		}
	}
	return -1
}

func sockTCP(name []byte) int {
	switch string(name) {
	case "inuse":
		return sockTCPInUse
	case "orphan":
		return sockTCPOrphan
	case "tw":
		return sockTCPTimeWait
	case "alloc":
		return sockTCPAllocated
	case "mem":
		return sockTCPMemory
	}
	return -1
}

// add6 adds what /proc/net/sockstat6 tells (sockstat6_seq_show in net/ipv6/proc.c).
// All else is told of both families in the other file.
//
//	TCP6: inuse 0
//	UDP6: inuse 0
func (s *sockstat) add6(b []byte) {
	for line := range text.Lines(text.Whole(b)) {
		title, rest := text.Field(line)
		name, rest := text.Field(rest)
		v, _, ok := text.UintField(rest)
		if !ok || string(name) != "inuse" {
			continue
		}
		switch string(title) {
		case "TCP6:":
			s.values[sockTCPInUse] += v
		case "UDP6:":
			s.values[sockUDPInUse] += v
		}
	}
}

func (s *sockstat) set(to *platform.Sample, page uint64) {
	fields := [numSock]platform.Field{
		platform.HostSockets, platform.HostTCPInUse, platform.HostTCPOrphaned, platform.HostTCPTimeWaiting,
		platform.HostTCPAllocated, platform.HostTCPMemory, platform.HostUDPInUse, platform.HostUDPMemory,
	}
	for i, f := range fields {
		if s.read&(1<<i) == 0 {
			continue
		}
		unit := uint64(1)
		if f.Info().Unit == "By" {
			unit = page
		}
		setScaled(to, f, s.values[i], unit)
	}
}
