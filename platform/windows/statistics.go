package windows

import (
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// member is a counter of 32 bits in a structure.
type member struct {
	field platform.Field
	at    int
}

// The counters of protocols (tcpmib.h, udpmib.h, ipmib.h), which are 32 bits on every
// architecture. TCP has no field for each family, so that its two are added.
var (
	tcpStatistics = [...]member{
		{platform.HostTCPActiveOpens, 16}, {platform.HostTCPPassiveOpens, 20}, {platform.HostTCPAttemptFails, 24},
		{platform.HostTCPResets, 28}, {platform.HostTCPSegmentsReceived, 36}, {platform.HostTCPSegmentsSent, 40},
		{platform.HostTCPRetransmits, 44}, {platform.HostTCPErrors, 48},
	}
	udp4Statistics = [...]member{{platform.HostUDP4Received, 0}, {platform.HostUDP4Errors, 8}, {platform.HostUDP4Sent, 12}}
	udp6Statistics = [...]member{{platform.HostUDP6Received, 0}, {platform.HostUDP6Errors, 8}, {platform.HostUDP6Sent, 12}}
	ip4Statistics  = [...]member{{platform.HostIPv4Received, 8}, {platform.HostIPv4Sent, 36}}
	ip6Statistics  = [...]member{{platform.HostIPv6Received, 8}, {platform.HostIPv6Sent, 36}}
)

// Sizes of MIB_TCPSTATS, MIB_UDPSTATS and MIB_IPSTATS.
const (
	tcpStatisticsSize = 60
	udpStatisticsSize = 20
	ipStatisticsSize  = 92
)

// decodeStatistics adds the counters of a structure to a sample, modulo 2^32: the sum
// of counters is as wide as one of them.
func decodeStatistics(b []byte, size int, members []member, s *platform.Sample) bool {
	if len(b) < size {
		return false
	}
	for _, m := range members {
		before, _ := s.Get(m.field)
		s.Set(m.field, uint64(uint32(before)+layout.U32(b, m.at)))
	}
	return true
}

// statistics reads one structure. That of IPv6 may be missing.
func (p *hostPass) statistics(table StatisticsTable, size int, members []member) error {
	answer, err := p.fixed(size, func(buf []byte) error { return p.kernel.Statistics(table, buf) })
	if err != nil {
		return err
	}
	decodeStatistics(answer, size, members, &p.host.sample)
	return nil
}

// both reads the structures of the two families.
func (p *hostPass) both(t4, t6 StatisticsTable, size int, m4, m6 []member) error {
	if err := p.statistics(t4, size, m4); err != nil {
		return err
	}
	err := p.statistics(t6, size, m6)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func (p *hostPass) readTCPStatistics() error {
	return p.both(StatisticsTCP4, StatisticsTCP6, tcpStatisticsSize, tcpStatistics[:], tcpStatistics[:])
}

func (p *hostPass) readUDPStatistics() error {
	return p.both(StatisticsUDP4, StatisticsUDP6, udpStatisticsSize, udp4Statistics[:], udp6Statistics[:])
}

func (p *hostPass) readIPStatistics() error {
	return p.both(StatisticsIP4, StatisticsIP6, ipStatisticsSize, ip4Statistics[:], ip6Statistics[:])
}
