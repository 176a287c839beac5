package solaris

import (
	"errors"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// page is PAGESIZE of amd64 (sys/machparam.h).
const page = 4096

// hostSource reads something of the host, of its devices, or of both.
type hostSource struct {
	platform.Source
	host func(*pass) error // into the sample of the host
	each func(*pass) error // hands on samples; not called where host failed
}

// hostTable is what can be read of all else.
func hostTable() []hostSource {
	misc := level("unix:0:system_misc", platform.Host, 5, platform.HostUptime, platform.HostLoad1, platform.HostLoad5, platform.HostLoad15)
	memory := level("unix:0:system_pages", platform.Host, 5, platform.HostMemoryTotal, platform.HostMemoryFree, platform.HostMemoryAvailable, platform.HostMemoryUsed)
	system := platform.Source{Name: "uname", Entity: platform.Host, Cost: 2, Texts: []platform.Text{platform.HostName, platform.HostArch,
		platform.OSType, platform.OSName, platform.OSVersion, platform.OSDescription}}
	return []hostSource{
		{Source: system, host: (*pass).readSystem},
		{Source: misc, host: (*pass).readMisc},
		{Source: memory, host: (*pass).readMemory},
		{Source: cpuSource(), host: (*pass).readCPUs, each: (*pass).sendCPUs},
		{Source: faultSource(), host: (*pass).readFaults},
		{Source: level("cpu_info:*:*", platform.Host, 20, platform.HostCPUPhysical), host: (*pass).readCores},
		{Source: tcpSource(), host: (*pass).readTCP},
		{Source: socketSource(), host: (*pass).readSockets},
		{Source: serialSource(), host: (*pass).readSerial},
		{Source: swapSource(), each: (*pass).sendSwaps},
		{Source: level(loginPath, platform.Host, 20, platform.HostSessions), host: (*pass).readSessions},
		{Source: diskSource(), each: (*pass).sendDisks},
		{Source: linkSource(), each: (*pass).sendLinks},
		{Source: mountSource(), each: (*pass).sendMounts},
	}
}

// readHost reads each chosen source of the host, hands on the host and then the devices,
// in the order of the sources.
func (p *pass) readHost() error {
	var failed platform.SourceSet
	tells := false
	p.sample.Reset(platform.Host, platform.Key{})
	for i := range p.hosts {
		h, index := &p.hosts[i], len(p.processes)+i
		if !p.set.Has(index) || h.host == nil {
			continue
		}
		tells = true
		if err := h.host(p); err != nil {
			failed = failed.With(index)
			p.sink.Miss(index, reasonOf(err))
		}
	}
	if tells && p.hand() != nil {
		return p.ctx.Err()
	}
	return p.readDevices(p.set &^ failed)
}

// readDevices reads each chosen source of devices.
func (p *pass) readDevices(set platform.SourceSet) error {
	for i := range p.hosts {
		h, index := &p.hosts[i], len(p.processes)+i
		if !set.Has(index) || h.each == nil {
			continue
		}
		err := h.each(p)
		if err == errStopped || p.ctx.Err() != nil {
			break
		}
		if err != nil {
			p.sink.Miss(index, reasonOf(err))
		}
	}
	return p.ctx.Err()
}

// one reads a statistic of which there is one.
func (p *pass) one(module, name string) (named, error) {
	if err := p.follow(); err != nil {
		return nil, err
	}
	s := p.find(module, 0, name)
	if s == nil {
		return nil, errors.ErrUnsupported
	}
	return p.namedStatistic(s)
}

// bootTime returns when the kernel started, in seconds since 1970.
func (b *backend) bootTime() (uint64, error) {
	values, err := (&pass{backend: b}).one("unix", "system_misc")
	b.chain.asked = false
	if err != nil {
		return 0, err
	}
	boot, ok := values.get("boot_time")
	if !ok || boot > 1<<40 {
		return 0, errContent
	}
	return boot, nil
}

// readMisc reads how long the kernel runs, which is when its answer was taken, and the
// averages of load, in parts of 256 (FSCALE of sys/param.h).
func (p *pass) readMisc() error {
	values, err := p.one("unix", "system_misc")
	if err != nil {
		return err
	}
	p.sample.Set(platform.HostUptime, p.taken())
	for name, f := range map[string]platform.Field{"avenrun_1min": platform.HostLoad1, "avenrun_5min": platform.HostLoad5, "avenrun_15min": platform.HostLoad15} {
		if v, ok := values.get(name); ok {
			p.sample.Set(f, (v*100+128)/256)
		}
	}
	return nil
}

// readMemory reads pages. What ZFS keeps of files is taken, and given back when it is
// needed, but is in no count of free pages.
func (p *pass) readMemory() error {
	values, err := p.one("unix", "system_pages")
	if err != nil {
		return err
	}
	total, known := values.get("physmem")
	free, told := values.get("freemem")
	if !known || !told {
		return errContent
	}
	p.sample.Set(platform.HostMemoryTotal, total*page)
	p.sample.Set(platform.HostMemoryFree, free*page)
	available := min(free, total)
	p.sample.Set(platform.HostMemoryAvailable, available*page)
	p.sample.Set(platform.HostMemoryUsed, (total-available)*page)
	return nil
}

// architectures are words of uname's machine that OpenTelemetry's host.arch spells another
// way.
var architectures = map[string]string{"i86pc": "amd64", "i86xpv": "amd64"}

// readSystem reads who the host is. The release is 5.11 on illumos and on Solaris 11; what
// tells them apart is the version: 11.4.0.15.0, or illumos- and a commit.
func (p *pass) readSystem() error {
	words, err := p.kernel.System()
	if err != nil {
		return err
	}
	arch := words[4]
	if known, ok := architectures[arch]; ok {
		arch = known
	}
	p.setText(platform.HostName, words[1])
	p.setText(platform.HostArch, arch)
	p.setText(platform.OSType, "solaris")
	p.setText(platform.OSName, words[0])
	p.setText(platform.OSVersion, words[3])
	p.setText(platform.OSDescription, words[0]+" "+words[2]+" "+words[3])
	return nil
}

// setText sets a text unless it is empty.
func (p *pass) setText(t platform.Text, s string) {
	if s != "" {
		p.sample.SetText(t, []byte(s))
	}
}

// tcpValues are those of tcp:0:tcp, counters of 32 bits as in MIB-II.
var tcpValues = []value{
	{"inSegs", platform.HostTCPSegmentsReceived, 32}, {"outSegs", platform.HostTCPSegmentsSent, 32}, {"retransSegs", platform.HostTCPRetransmits, 32},
	{"activeOpens", platform.HostTCPActiveOpens, 32}, {"passiveOpens", platform.HostTCPPassiveOpens, 32},
	{"attemptFails", platform.HostTCPAttemptFails, 32}, {"estabResets", platform.HostTCPResets, 32},
}

func tcpSource() platform.Source {
	s := platform.Source{Name: "tcp:0:tcp", Entity: platform.Host, Cost: 5, Gives: valuesGiven(tcpValues)}
	return s
}

func (p *pass) readTCP() error {
	values, err := p.one("tcp", "tcp")
	if err == nil {
		p.setValues(values, tcpValues)
	}
	return err
}

// value is a named value that is a field.
type value struct {
	name  string
	field platform.Field
	bits  uint8 // that the kernel counts in; 0 is 64
}

func valuesGiven(list []value) (gives []platform.Given) {
	for _, v := range list {
		gives = append(gives, platform.Given{Field: v.field, Bits: v.bits})
	}
	return gives
}

// setValues sets the fields that are there. Where a release counts in more bits than
// another, the lower ones are the same counter.
func (p *pass) setValues(values named, list []value) {
	for _, v := range list {
		n, ok := values.get(v.name)
		if !ok {
			continue
		}
		if v.bits == 32 {
			n = uint64(uint32(n))
		}
		p.sample.Set(v.field, n)
	}
}

// Offsets in struct futmpx (utmpx.h), a record of /var/adm/utmpx, whose numbers have 32
// bits in programs of 64 bits too.
const (
	loginPath   = "/var/adm/utmpx"
	loginSize   = 372
	loginUser   = 0
	loginType   = 72
	userProcess = 7 // USER_PROCESS
)

// readSessions counts who is logged in.
func (p *pass) readSessions() error {
	b, err := p.kernel.File(loginPath)
	if err == nil {
		p.sample.Set(platform.HostSessions, decodeLogins(b))
	}
	return err
}

// decodeLogins counts the records of users.
func decodeLogins(b []byte) (users uint64) {
	eachLogin(b, func([]byte) { users++ })
	return users
}

// eachLogin calls each with the records of users. One that is being written is not whole, and
// left out.
func eachLogin(b []byte, each func([]byte)) {
	for ; len(b) >= loginSize; b = b[loginSize:] {
		if layout.U16(b, loginType) == userProcess && b[loginUser] != 0 {
			each(b[:loginSize])
		}
	}
}

// isGone reports whether a statistic went while the chain was followed.
func isGone(err error) bool { return errors.Is(err, os.ErrProcessDone) }
