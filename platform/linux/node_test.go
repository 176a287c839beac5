package linux

import (
	"io/fs"
	"slices"
	"strconv"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const nodeText = `Node 0 MemTotal:        8743116 kB
Node 0 MemFree:         4582456 kB
Node 0 MemUsed:         4160660 kB
Node 0 SwapCached:            0 kB
`

const numastatText = `numa_hit 131722313
numa_miss 5
numa_foreign 6
interleave_hit 1126
local_node 131722313
other_node 0
`

func TestDecodeNode(t *testing.T) {
	s := sample(platform.Node)
	decodeNodeMemory([]byte(nodeText), s)
	decodeNumastat([]byte(numastatText), s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.NodeMemoryTotal: 8743116 << 10, platform.NodeMemoryFree: 4582456 << 10, platform.NodeMemoryUsed: 4160660 << 10,
		platform.NodeHits: 131722313, platform.NodeMisses: 5, platform.NodeForeign: 6,
	})
}

func FuzzDecodeNode(f *testing.F) {
	f.Add([]byte(nodeText))
	f.Add([]byte(numastatText))
	f.Add([]byte("Node 0 MemTotal:\nNode MemFree: 5 kB\nNode 0 MemFree: 7\nnuma_hit\nnuma_miss 1x\nnuma_foreign 3"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Node), sample(platform.Node)
		decodeNodeMemory(b, fast)
		decodeNumastat(b, fast)
		slowNode(string(b), slow)
		same(t, fast, slow)
	})
}

func slowNode(s string, to *platform.Sample) {
	for _, line := range slowLines(s) {
		f := append(slowFields(line), "", "", "", "", "")
		memory, known := map[string]platform.Field{
			"MemTotal:": platform.NodeMemoryTotal, "MemFree:": platform.NodeMemoryFree, "MemUsed:": platform.NodeMemoryUsed,
		}[f[2]]
		if v, err := strconv.ParseUint(f[3], 10, 64); known && err == nil && v < 1<<50 {
			if f[4] == "kB" {
				v *= 1024
			}
			to.Set(memory, v)
		}
		event, known := map[string]platform.Field{
			"numa_hit": platform.NodeHits, "numa_miss": platform.NodeMisses, "numa_foreign": platform.NodeForeign,
		}[f[0]]
		if n := slowNumbers(f[1:], 1); known && len(n) > 0 {
			to.Set(event, n[0])
		}
	}
}

func TestNodes(t *testing.T) {
	files := map[string]string{
		"sys/devices/system/node/online":         "0,2\n",
		"sys/devices/system/node/node0/meminfo":  nodeText,
		"sys/devices/system/node/node0/numastat": numastatText,
		"sys/devices/system/node/node2/numastat": numastatText,
	}
	k := newTreeKernel(writeTree(t, files))
	c := readTree(t, treeBackend(k, Options{}), sourcesOf(fromNodes))
	nodes := c.of(platform.Node)
	if len(nodes) != 2 || nodes[1].key.ID != 2 || len(nodes[0].fields) != 6 || len(nodes[1].fields) != 3 || len(c.misses) > 0 {
		t.Errorf("%v, misses %v", nodes, c.misses)
	}
	k.fail["sys/devices/system/node/node2/numastat"] = fs.ErrPermission
	c = readTree(t, treeBackend(k, Options{}), sourcesOf(fromNodes))
	if got := c.misses[fromNodes]; len(c.given) != 1 || !slices.Equal(got, []platform.Reason{platform.Denied}) {
		t.Errorf("%v, misses %v", c.given, got)
	}
	c = readFiles(t, nil, Options{}, sourcesOf(fromNodes))
	if got := c.misses[fromNodes]; len(c.given) > 0 || !slices.Equal(got, []platform.Reason{platform.Unsupported}) {
		t.Errorf("without NUMA: %v, misses %v", c.given, got)
	}
}
