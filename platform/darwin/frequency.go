package darwin

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
)

// Names of what a Mac with a processor of Intel promises, in hertz. Others do not have the
// first one.
const (
	nominalSpeed = "hw.cpufrequency"
	lowestSpeed  = "hw.cpufrequency_min"
	highestSpeed = "hw.cpufrequency_max"
)

// Nodes of the device tree on machines with Apple's own processors. A CPU's number, which
// host_processor_info() goes by too, is given when it is started, and its firmware's cpu-id
// may be another one (matching_dict_for_cpu_id in iokit/Kernel/arm/AppleARMSMP.cpp of XNU).
const (
	cpuNode     = "cpu" // the device_type of each
	cpuNumber   = "logical-cpu-id"
	clusterType = "cluster-type" // a letter
	powerNode   = "pmgr"
)

// clusters are the kinds of them, and where the manager of power keeps the frequencies that
// each can have. The M5 Pro and Max have a third kind, M, whose table nobody names for sure.
var clusters = [...]struct {
	kind  byte
	table string
}{{'E', "voltage-states1-sram"}, {'P', "voltage-states5-sram"}}

// A table has a frequency and a voltage in each row, both of 32 bits. The frequency is in
// hertz up to the M3, as 2,736,000,000 is, and in kilohertz since the M4: an M5 has 972,000.
// No CPU ever ran as slowly as the one read in hertz, or as fast as the other read in kilohertz.
const (
	stateSize     = 8
	leastHertz    = 100_000_000
	hertzInKilo   = 1000
	mostCPUNumber = 1 << 10
)

// frequencies are how fast CPUs can be: nothing tells without rights how fast they are.
func (m *machine) frequencies() sysctl.HostSource {
	return sysctl.Speeds("hw.cpufrequency, voltage-states of pmgr", 10, false, m.readSpeeds)
}

func (m *machine) readSpeeds(p *sysctl.Pass) ([]sysctl.Speed, error) {
	nominal, err := ifPresent(p, nominalSpeed)
	switch {
	case err != nil:
		return nil, err
	case nominal != 0:
		return intelSpeeds(p, nominal)
	}
	if !m.measured {
		m.speeds, err = m.clusterSpeeds()
		m.measured = err == nil
	}
	return m.speeds, err
}

// ifPresent reads a number, which is 0 on a machine that does not have the name.
func ifPresent(p *sysctl.Pass, name string) (uint64, error) {
	v, err := named(p, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return 0, nil
	}
	return v, err
}

// intelSpeeds are the same for all.
func intelSpeeds(p *sysctl.Pass, nominal uint64) (all []sysctl.Speed, err error) {
	count, err := named(p, "hw.ncpu")
	if err != nil {
		return nil, err
	}
	low, err := ifPresent(p, lowestSpeed)
	high, err2 := ifPresent(p, highestSpeed)
	for id := range min(count, mostCPUNumber) {
		all = append(all, sysctl.Speed{ID: id, Nominal: nominal, Min: low, Max: high})
	}
	return all, errors.Join(err, err2)
}

// clusterSpeeds are those of the cluster that each CPU is in. What a CPU of Apple is made for
// is the most that it can do. A machine with a cluster of a kind that has no table tells
// nothing: which table would be whose is not known then.
func (m *machine) clusterSpeeds() (all []sysctl.Speed, err error) {
	limits, err := m.clusterLimits()
	if err != nil || len(limits) == 0 {
		return nil, err
	}
	cpus, err := m.devices(cpuNode, []string{cpuNumber, clusterType})
	for _, cpu := range cpus {
		id, ok := number(cpu[cpuNumber])
		kind, _ := cpu[clusterType].([]byte)
		if !ok || id >= mostCPUNumber || len(kind) == 0 {
			continue
		}
		s, known := limits[kind[0]]
		if !known {
			return nil, nil
		}
		s.ID = id
		all = append(all, s)
	}
	return all, err
}

// clusterLimits reads the tables, by the kinds of clusters.
func (m *machine) clusterLimits() (limits map[byte]sysctl.Speed, err error) {
	var keys []string
	for _, c := range clusters {
		keys = append(keys, c.table)
	}
	managers, err := m.devices(powerNode, keys)
	limits = map[byte]sysctl.Speed{}
	for _, manager := range managers {
		for _, c := range clusters {
			table, ok := manager[c.table].([]byte)
			if !ok {
				continue
			}
			low, high, ok := decodeStates(table)
			if !ok {
				return nil, sysctl.ErrContent
			}
			limits[c.kind] = sysctl.Speed{Nominal: high, Min: low, Max: high}
		}
	}
	return limits, err
}

// decodeStates returns the lowest and the highest frequency of a table, in hertz. A row of 0
// is that of nothing.
func decodeStates(b []byte) (low, high uint64, ok bool) {
	if len(b)%stateSize != 0 {
		return 0, 0, false
	}
	for ; len(b) > 0; b = b[stateSize:] {
		v := uint64(layout.U32(b, 0))
		if v == 0 {
			continue
		}
		if v < leastHertz {
			v *= hertzInKilo
		}
		if low == 0 || v < low {
			low = v
		}
		high = max(high, v)
	}
	return low, high, high != 0
}

// number is a property that is a number, or the bytes of one as the firmware wrote them.
func number(property any) (uint64, bool) {
	switch v := property.(type) {
	case uint64:
		return v, true
	case []byte:
		if len(v) == 4 || len(v) == 8 {
			return layout.Word(v, 0, len(v)), true
		}
	}
	return 0, false
}
