package linux

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// host is what the host half keeps from one pass to the next.
type host struct {
	guard  *guard
	pass   hostPass
	sample platform.Sample
	attr   []byte // lent to one small file at a time
	lines  []byte // of a stream
	texts  [platform.TextCount][]byte

	times       []cpuTimes
	topology    topology
	frequencies frequencies
	models      []cpuModel // nil until they were read

	disks      devices
	interfaces devices
	swaps      devices
	locks      lockTable
	mounts     mounts
	nodes      []uint64
	containers containers
	hardware

	tcp          tcpCounts
	diagRequests [2][]byte // for sockets of IPv4 and IPv6
	datagram     []byte    // lent to one answer of netlink at a time
	undiagnosed  bool      // there is no sock_diag
}

func newHost(k Kernel, root int, o Options) *host {
	h := &host{guard: newGuard(o.Budget)}
	h.frequencies.init(k, root)
	h.disks.init()
	h.interfaces.init()
	h.swaps.init()
	h.locks.init()
	h.mounts.init(k, root, o)
	h.containers.init()
	h.hardware.init()
	h.texts[platform.HostArch] = []byte(hostArch(k.Machine()))
	h.texts[platform.OSType] = []byte("linux")
	return h
}

// hostPass is one read of the host half.
type hostPass struct {
	*reader
	host  *host
	set   platform.SourceSet // by the constants of this half
	first int                // index of the first of them among all sources
	sink  platform.Sink
	net   string // where this view's network tables are
}

// readHost reads each chosen source of the host half once and hands on, in this
// order, the host, its CPUs, disks, file systems, interfaces, swap areas,
// locks, pressures, NUMA nodes, containers and other hardware. first is the index of hostSources[0]
// among the backend's sources.
func (r *reader) readHost(set platform.SourceSet, first int, sink platform.Sink) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	h := r.hostState()
	p := &h.pass
	*p = hostPass{reader: r, host: h, set: set >> first, first: first, sink: sink}
	defer func() { *p = hostPass{} }()
	p.net = p.networkTables()
	p.ask()
	_ = p.sendHost() && p.sendCPUs() && p.sendDisks() && p.sendFilesystems() &&
		p.sendInterfaces() && p.sendSwaps() && p.sendLocks() &&
		p.sendPressure() && p.sendNodes() && p.sendContainers() && p.sendHardware()
	p.host.guard.end()
	return r.ctx.Err()
}

// ask begins with what may take long, so that it runs while the rest is read.
func (p *hostPass) ask() {
	p.askFrequencies()
	p.askFilesystems()
	p.askHardware()
	p.askDisks()
	p.askLinks()
	p.host.guard.start()
}

// wait lets the questions of the pass be answered, and reports whether to go on.
func (p *hostPass) wait() bool {
	p.host.guard.wait(p.ctx)
	return p.ctx.Err() == nil
}

// send hands the sample on and reports whether to go on.
func (p *hostPass) send() bool {
	return p.sink.Sample(&p.host.sample) && p.ctx.Err() == nil
}

// wants reports whether a source of this half was chosen.
func (p *hostPass) wants(source int) bool { return p.set.Has(source) }

// miss tells the sink why a source gave nothing. A pass that was called off has
// not missed anything.
func (p *hostPass) miss(source int, why platform.Reason) {
	if p.ctx.Err() == nil {
		p.sink.Miss(p.first+source, why)
	}
}

// told misses a source that was read and left the sample as it was.
func (p *hostPass) told(source, before int) {
	if p.host.sample.Len() == before {
		p.miss(source, platform.Unknown)
	}
}

// table reads the file of a chosen source. What fails is a miss.
func (p *hostPass) table(source int, parts ...string) (b []byte, ok bool) {
	if !p.wants(source) {
		return nil, false
	}
	b, err := p.file(parts...)
	if err != nil {
		p.miss(source, missReason(err))
	}
	return b, err == nil
}

// small reads a file of a line or two into memory of its own, so that a table
// under way in the reader's buffer stays. The bytes are lent until the next call.
func (p *hostPass) small(parts ...string) ([]byte, error) {
	var err error
	p.host.attr, err = readFile(p.kernel, p.root, p.join(parts...), p.host.attr)
	return p.host.attr, err
}

// exists reports whether the view has a file.
func (p *hostPass) exists(parts ...string) bool {
	_, err := p.kernel.Stat(p.root, p.join(parts...))
	return err == nil
}

// moved reports whether the view is another than this machine's own.
func (o *Options) moved() bool { return strings.Trim(o.Root, "/") != "" }

// networkTables returns the folder of the network tables. In a moved view
// proc/net is a link to those of the reading process, which may live in another
// namespace, so that of the first process comes first.
func (b *backend) networkTables() string {
	if b.options.moved() && b.has("proc/1/net/dev") {
		return "proc/1/net/"
	}
	return ownTables
}

// ownTables are those of the namespace that the reading process is in.
const ownTables = "proc/net/"

// missReason puts an error into one of the classes of a miss.
func missReason(err error) platform.Reason {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return platform.Denied
	case errors.Is(err, os.ErrProcessDone):
		return platform.Gone
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported):
		return platform.Unsupported
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return platform.Stuck
	}
	return platform.Unknown
}

// sendHost hands on what is known of the machine as a whole.
func (p *hostPass) sendHost() bool {
	p.host.times = p.host.times[:0]
	if p.set&hostOnly == 0 {
		return true
	}
	p.host.sample.Reset(platform.Host, platform.Key{})
	p.readStat()
	p.readMeminfo()
	p.readVmstat()
	p.readUptime()
	p.readLoadavg()
	p.readLimit()
	p.readTopology()
	p.readTCP()
	p.readUDP()
	p.readExtensions()
	p.readTexts()
	return p.send()
}

func (p *hostPass) readStat() {
	if b, ok := p.table(fromStat, "proc/stat"); ok {
		before := p.host.sample.Len()
		p.host.times = decodeStat(b, &p.host.sample, p.host.times)
		wrap(&p.host.sample, platform.HostInterrupts, p.word)
		wrap(&p.host.sample, platform.HostSoftInterrupts, softBits)
		p.told(fromStat, before)
	}
}

func (p *hostPass) readMeminfo() {
	b, ok := p.table(fromMeminfo, "proc/meminfo")
	if !ok {
		return
	}
	before := p.host.sample.Len()
	memory := decodeMeminfo(b)
	var low uint64
	var lowKnown bool
	if !memory.tellsAvailable() {
		low, lowKnown = p.lowWatermarks()
	}
	memory.set(&p.host.sample, low, lowKnown)
	p.told(fromMeminfo, before)
}

// lowWatermarks returns what the kernel keeps back, in bytes. Without the file
// there is a simpler estimate, so that it is no miss.
func (p *hostPass) lowWatermarks() (low uint64, ok bool) {
	b, err := p.file("proc/zoneinfo")
	if err != nil {
		return 0, false
	}
	low, ok = decodeZoneinfo(b)
	return low * p.kernel.PageSize(), ok
}

func (p *hostPass) readVmstat() {
	if b, ok := p.table(fromVmstat, "proc/vmstat"); ok {
		before := p.host.sample.Len()
		decodeVmstat(b, p.word, &p.host.sample)
		setSwapBytes(&p.host.sample, p.kernel.PageSize())
		p.told(fromVmstat, before)
	}
}

func (p *hostPass) readUptime() {
	if b, ok := p.table(fromUptime, "proc/uptime"); ok {
		before := p.host.sample.Len()
		decodeUptime(b, &p.host.sample)
		p.told(fromUptime, before)
	}
}

func (p *hostPass) readLoadavg() {
	if b, ok := p.table(fromLoadavg, "proc/loadavg"); ok {
		before := p.host.sample.Len()
		decodeLoadavg(b, &p.host.sample)
		p.told(fromLoadavg, before)
	}
}

// readLimit takes the lower of the limits on threads: how many there may be, and
// how many numbers there are for them (man 5 proc_sys_kernel).
func (p *hostPass) readLimit() {
	if !p.wants(fromLimit) {
		return
	}
	threads, err := p.number("proc/sys/kernel/threads-max")
	pids, err2 := p.number("proc/sys/kernel/pid_max")
	switch {
	case err == nil && err2 == nil:
		p.host.sample.Set(platform.HostProcessLimit, min(threads, pids))
	case err == nil:
		p.host.sample.Set(platform.HostProcessLimit, threads)
	case err2 == nil:
		p.host.sample.Set(platform.HostProcessLimit, pids)
	default:
		p.miss(fromLimit, missReason(err))
	}
}

// number reads a file that holds one number.
func (p *hostPass) number(parts ...string) (uint64, error) {
	b, err := p.small(parts...)
	if err != nil {
		return 0, err
	}
	v, _, ok := text.UintField(b)
	if !ok {
		return 0, errNoNumber
	}
	return v, nil
}

var errNoNumber = errors.New("holds no number")
