package sysctl

import (
	"bytes"
	"fmt"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// readHost reads each chosen source of the host, hands on the host and then the
// devices, in the order of the sources.
func (p *Pass) readHost() error {
	first := 1 + len(p.dialect.Processes)
	var failed platform.SourceSet
	tells := false
	p.sample.Reset(platform.Host, platform.Key{})
	for i := range p.dialect.Hosts {
		h := &p.dialect.Hosts[i]
		if !p.set.Has(first+i) || h.Host == nil {
			continue
		}
		tells = true
		if err := h.Host(p); err != nil {
			failed = failed.With(first + i)
			p.sink.Miss(first+i, reasonOf(err))
		}
	}
	if tells && !p.Send() {
		return p.ctx.Err()
	}
	return p.readDevices(p.set &^ failed)
}

// readDevices reads each chosen source of devices.
func (p *Pass) readDevices(set platform.SourceSet) error {
	first := 1 + len(p.dialect.Processes)
	for i := range p.dialect.Hosts {
		h := &p.dialect.Hosts[i]
		if !set.Has(first+i) || h.Each == nil {
			continue
		}
		err := h.Each(p)
		if err == errStopped || p.ctx.Err() != nil {
			break
		}
		if err != nil {
			p.sink.Miss(first+i, reasonOf(err))
		}
	}
	return p.ctx.Err()
}

// errStopped says that the sink wants no more.
var errStopped = fmt.Errorf("stopped by the sink")

// Send hands the sample on and reports whether to go on.
func (p *Pass) Send() bool { return p.sink.Sample(&p.sample) && p.ctx.Err() == nil }

// Hand hands the sample on. The error is of a sink that wants no more.
func (p *Pass) Hand() error {
	if !p.Send() {
		return errStopped
	}
	return nil
}

// Level declares a source of fields of which no width matters.
func Level(name string, e platform.Entity, cost int, fields ...platform.Field) platform.Source {
	s := platform.Source{Name: name, Entity: e, Cost: cost}
	for _, f := range fields {
		s.Gives = append(s.Gives, platform.Given{Field: f})
	}
	return s
}

// Words declares a source of texts of the host.
func Words(name string, cost int, texts ...platform.Text) platform.Source {
	return platform.Source{Name: name, Entity: platform.Host, Texts: texts, Cost: cost}
}

// loadSize is the size of struct loadavg: three averages of 32 bits, and the value of
// 1, a long (sys/resource.h of NetBSD, sys/vmmeter.h of OpenBSD).
const loadSize = 24

// Load is vm.loadavg.
func Load() HostSource {
	fields := []platform.Field{platform.HostLoad1, platform.HostLoad5, platform.HostLoad15}
	return HostSource{Source: Level("vm.loadavg", platform.Host, 1, fields...), Host: func(p *Pass) error {
		b, err := p.Ask(ctlVM, 2) // VM_LOADAVG
		if err != nil {
			return err
		}
		load, ok := decodeLoad(b)
		if !ok {
			return ErrContent
		}
		for i, f := range fields {
			p.sample.Set(f, load[i])
		}
		return nil
	}}
}

// decodeLoad reads struct loadavg, in hundredths.
func decodeLoad(b []byte) (load [3]uint64, ok bool) {
	if len(b) < loadSize {
		return load, false
	}
	one := uint64(layout.U32(b, 16))
	if one == 0 {
		return load, false
	}
	for i := range load {
		load[i] = (uint64(layout.U32(b, 4*i))*100 + one/2) / one
	}
	return load, true
}

// Uptime is how long the kernel runs.
func Uptime() HostSource {
	return HostSource{Source: Level("clock_gettime", platform.Host, 1, platform.HostUptime), Host: func(p *Pass) error {
		_, uptime := p.kernel.Clocks()
		p.sample.Set(platform.HostUptime, uptime)
		return nil
	}}
}

// Number is a source of one number.
func Number(name string, f platform.Field, mib ...int32) HostSource {
	return HostSource{Source: Level(name, platform.Host, 1, f), Host: func(p *Pass) error {
		v, err := p.number(mib...)
		if err == nil {
			p.sample.Set(f, v)
		}
		return err
	}}
}

// String reads a string.
func (p *Pass) String(mib ...int32) (string, error) {
	b, err := p.Ask(mib...)
	return string(cString(b)), err
}

// Constants of sys/sysctl.h.
const (
	kernType     = 1
	kernRelease  = 2
	kernHostName = 10
	hwMachine    = 1
)

// architectures are words of hw.machine that OpenTelemetry's host.arch spells another
// way.
var architectures = map[string]string{"i386": "x86", "evbarm": "arm64", "powerpc64": "ppc64"}

// System is who the host is: its name, its architecture, and kern.ostype with its
// release, which is the version of the product too.
func System(goos string) HostSource {
	return HostSource{Source: Words("kern.hostname, hw.machine, kern.ostype, kern.osrelease", 5, platform.HostName, platform.HostArch,
		platform.OSType, platform.OSName, platform.OSVersion, platform.OSDescription), Host: func(p *Pass) error {
		var words [4]string
		for i, mib := range [...][2]int32{{ctlKern, kernHostName}, {ctlHW, hwMachine}, {ctlKern, kernType}, {ctlKern, kernRelease}} {
			word, err := p.String(mib[:]...)
			if err != nil {
				return err
			}
			words[i] = word
		}
		if arch, ok := architectures[words[1]]; ok {
			words[1] = arch
		}
		p.SetText(platform.HostName, words[0])
		p.SetText(platform.HostArch, words[1])
		p.SetText(platform.OSType, goos)
		p.SetText(platform.OSName, words[2])
		p.SetText(platform.OSVersion, words[3])
		p.SetText(platform.OSDescription, words[2]+" "+words[3])
		return nil
	}}
}

// SetText sets a text unless it is empty.
func (p *Pass) SetText(t platform.Text, s string) {
	if s != "" {
		p.sample.SetText(t, []byte(s))
	}
}

// Swap is the sum of all swap areas, as the kernel keeps it beside its memory.
func (p *Pass) Swap(total, used uint64) error {
	s := &p.sample
	s.Reset(platform.Swap, platform.Key{Name: "swap"})
	s.Set(platform.SwapTotal, total)
	s.Set(platform.SwapUsed, used)
	s.Set(platform.SwapFree, max(total, used)-used)
	return p.Hand()
}

// owners returns the names of users by number, from /etc/passwd, read once in a pass.
func (p *Pass) owners() (map[uint64][]byte, error) {
	if p.pass.owners != nil {
		return p.pass.owners, nil
	}
	b, err := p.kernel.File("/etc/passwd")
	if err != nil {
		return nil, err
	}
	p.pass.owners = decodeOwners(b)
	return p.pass.owners, nil
}

// decodeOwners reads passwd(5): name, password, number and more, between colons. The
// first name of a number counts.
func decodeOwners(b []byte) map[uint64][]byte {
	owners := map[uint64][]byte{}
	for line := range bytes.Lines(b) {
		members := bytes.SplitN(line, []byte(":"), 4)
		if len(members) < 4 || len(members[0]) == 0 || members[0][0] == '#' {
			continue
		}
		id, ok := decimal(members[2])
		if _, twice := owners[id]; ok && !twice {
			owners[id] = members[0]
		}
	}
	return owners
}

// decimal reads a number of 32 bits.
func decimal(b []byte) (v uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || v > 1<<32 {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, len(b) > 0 && v < 1<<32
}

// Owner is the name of a process's effective user.
func Owner() ProcessSource {
	return ProcessSource{Source: platform.Source{Name: "/etc/passwd", Entity: platform.Process, Cost: 5,
		Texts: []platform.Text{platform.ProcessOwner}}, Read: func(p *Pass, v *Visit) error {
		owners, err := p.owners()
		if err != nil {
			return err
		}
		if name, ok := owners[v.Row.U32(p.dialect.Table.User)]; ok {
			p.sample.SetText(platform.ProcessOwner, name)
		}
		return nil
	}}
}
