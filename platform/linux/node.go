package linux

import (
	"strconv"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

const nodeFolder = "sys/devices/system/node/"

// nodesSource: events are unsigned longs (vm_numa_event in include/linux/vmstat.h).
func nodesSource(word uint8) platform.Source {
	s := level("/sys/devices/system/node/node[N]", platform.Node, 60, 3,
		platform.NodeMemoryTotal, platform.NodeMemoryUsed, platform.NodeMemoryFree)
	for _, f := range [...]platform.Field{platform.NodeHits, platform.NodeMisses, platform.NodeForeign} {
		s.Gives = append(s.Gives, platform.Given{Field: f, Bits: word})
	}
	return s
}

// decodeNodeMemory reads meminfo of a node (node_read_meminfo in drivers/base/node.c).
// Used is what is not free, the page cache included.
//
//	Node 0 MemTotal:        8743116 kB
//	Node 0 MemFree:         4582456 kB
//	Node 0 MemUsed:         4160660 kB
func decodeNodeMemory(b []byte, s *platform.Sample) {
	for line := range text.Lines(text.Whole(b)) {
		key, value := text.Field(text.Skip(line, 2))
		f, wanted := nodeMemory(key)
		if !wanted {
			continue
		}
		if v, ok := amount(value); ok {
			s.Set(f, v)
		}
	}
}

func nodeMemory(key []byte) (f platform.Field, ok bool) {
	switch string(key) {
	case "MemTotal:":
		return platform.NodeMemoryTotal, true
	case "MemFree:":
		return platform.NodeMemoryFree, true
	case "MemUsed:":
		return platform.NodeMemoryUsed, true
	}
	return 0, false
}

// decodeNumastat reads numastat of a node (Documentation/admin-guide/numastat.rst).
//
//	numa_hit 131722313
//	numa_miss 0
//	numa_foreign 0
func decodeNumastat(b []byte, s *platform.Sample) {
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		f, wanted := numaEvent(key)
		if !wanted {
			continue
		}
		if v, _, ok := text.UintField(rest); ok {
			s.Set(f, v)
		}
	}
}

func numaEvent(key []byte) (f platform.Field, ok bool) {
	switch string(key) {
	case "numa_hit":
		return platform.NodeHits, true
	case "numa_miss":
		return platform.NodeMisses, true
	case "numa_foreign":
		return platform.NodeForeign, true
	}
	return 0, false
}

// sendNodes hands on the NUMA nodes. A kernel that was built without NUMA has none.
func (p *hostPass) sendNodes() bool {
	if !p.wants(fromNodes) {
		return true
	}
	online, err := p.small(nodeFolder, "online")
	if err != nil {
		p.miss(fromNodes, missReason(err))
		return true
	}
	p.host.nodes = p.host.nodes[:0]
	for id := range decodeCPUList(online) {
		p.host.nodes = append(p.host.nodes, id)
	}
	for _, id := range p.host.nodes {
		if !p.sendNode(id) {
			return false
		}
	}
	return true
}

func (p *hostPass) sendNode(id uint64) bool {
	s := &p.host.sample
	s.Reset(platform.Node, platform.Key{ID: id})
	folder := strconv.FormatUint(id, 10)
	if b, err := p.small(nodeFolder, "node", folder, "/meminfo"); err == nil {
		decodeNodeMemory(b, s)
	}
	b, err := p.small(nodeFolder, "node", folder, "/numastat")
	if err == nil {
		decodeNumastat(b, s)
	}
	if s.Len() == 0 {
		p.miss(fromNodes, missReason(err))
		return true
	}
	return p.send()
}
