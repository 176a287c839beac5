package windows

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// host is what the host half keeps from one pass to the next.
type host struct {
	sample     platform.Sample
	processors []processor
	load       load
	cores      uint64 // physical ones, 0 if not known
	coresErr   error
	volumes    volumes
	seen       map[string]bool // names handed on in this pass
}

func newHost(b *backend) *host {
	h := &host{seen: map[string]bool{}}
	h.volumes.init(b.kernel, b.options)
	return h
}

// hostPass is one read of the host half.
type hostPass struct {
	*reader
	host *host
	set  platform.SourceSet
	sink platform.Sink
}

// readHost reads each chosen source of the host half once and hands on, in this
// order, the host, its CPUs, disks, file systems, interfaces, page files, services and the battery.
func (r *reader) readHost(set platform.SourceSet, sink platform.Sink) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	p := hostPass{r, r.host, set, sink}
	if p.wants(fromVolumes) {
		p.host.volumes.ask() // they answer while the rest is read
	}
	_ = p.sendHost() && p.sendCPUs() && p.sendDisks() && p.sendVolumes() && p.sendInterfaces() &&
		p.sendPageFiles() && p.sendServices() && p.sendBattery()
	return r.ctx.Err()
}

// wants reports whether a source was chosen.
func (p *hostPass) wants(source int) bool { return p.set.Has(source) }

// send hands the sample on and reports whether to go on.
func (p *hostPass) send() bool {
	return p.sink.Sample(&p.host.sample) && p.ctx.Err() == nil
}

// check tells the sink why a source gave nothing, if it did. A pass that was called
// off has not missed anything.
func (p *hostPass) check(source int, err error) {
	if err != nil && p.ctx.Err() == nil {
		p.sink.Miss(source, reasonOf(err))
	}
}

// grow makes a call until its answer fits. The answer is lent until the next one.
func (p *hostPass) grow(call func(buf []byte) (int, error)) (answer []byte, err error) {
	answer, p.buf, err = layout.Grow(p.buf, call)
	return answer, err
}

// system asks the kernel for one class of information.
func (p *hostPass) system(class int32) ([]byte, error) {
	return p.grow(func(buf []byte) (int, error) { return p.kernel.System(class, buf) })
}

// fixed makes a call that fills a structure of the given size.
func (p *hostPass) fixed(size int, call func(buf []byte) error) ([]byte, error) {
	if len(p.buf) < size {
		p.buf = make([]byte, size)
	}
	return p.buf[:size], call(p.buf[:size])
}

// once reports whether a name was not handed on yet in this pass.
func (h *host) once(name string) bool {
	if h.seen[name] {
		return false
	}
	h.seen[name] = true
	return true
}

// hostReads reads each source of the host itself into the sample.
var hostReads = map[int]func(*hostPass) error{
	fromProcessors:    (*hostPass).readProcessors,
	fromInterrupts:    (*hostPass).readInterrupts,
	fromPerformance:   (*hostPass).readPerformance,
	fromMemory:        (*hostPass).readMemory,
	fromUptime:        (*hostPass).readUptime,
	fromQueue:         (*hostPass).readQueue,
	fromTopology:      (*hostPass).readTopology,
	fromTCP:           (*hostPass).readTCP,
	fromUDP:           (*hostPass).readUDP,
	fromTCPStatistics: (*hostPass).readTCPStatistics,
	fromUDPStatistics: (*hostPass).readUDPStatistics,
	fromIPStatistics:  (*hostPass).readIPStatistics,
	fromSessions:      (*hostPass).readSessions,
	fromMachineGUID:   (*hostPass).readMachineGUID,
	fromHostName:      (*hostPass).readHostName,
	fromSystem:        (*hostPass).readSystem,
	fromVersion:       (*hostPass).readVersion,
}

// sendHost hands on what is known of the machine as a whole.
func (p *hostPass) sendHost() bool {
	p.host.processors = p.host.processors[:0]
	if p.set&hostOnly == 0 {
		return true
	}
	p.host.sample.Reset(platform.Host, platform.Key{})
	for source := range (p.set & hostOnly).All() {
		p.check(source, hostReads[source](p))
	}
	return p.send()
}

func (p *hostPass) readUptime() error {
	_, uptime := p.kernel.Clocks()
	p.host.sample.Set(platform.HostUptime, uptime)
	return nil
}

// readSessions counts the sessions that somebody has logged in to, connected or not.
func (p *hostPass) readSessions() error {
	sessions, err := p.kernel.Sessions()
	if err != nil {
		return err
	}
	var users uint64
	for _, s := range sessions {
		if s.User != "" {
			users++
		}
	}
	p.host.sample.Set(platform.HostSessions, users)
	return nil
}
