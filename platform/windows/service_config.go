package windows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in QUERY_SERVICE_CONFIG, whose pointers stand after three numbers and, where
// they are wide, padding; a number of four bytes stands among them (winsvc.h).
const (
	configStart   = 4 // dwStartType
	configNumbers = 12
)

// Places behind them, in words: path, group, number, dependencies, account, display
// name.
const (
	configPath  = 0 // lpBinaryPathName
	configOwner = 4 // lpServiceStartName
	configWords = 6
)

// serviceConfig is what is read of QUERY_SERVICE_CONFIG, in UTF-16.
type serviceConfig struct {
	start       uint32
	path, owner []byte
}

// decodeServiceConfig reads QUERY_SERVICE_CONFIG, which lies at base.
func decodeServiceConfig(b []byte, base uint64, word int) (c serviceConfig, ok bool) {
	first := configNumbers + -configNumbers&(word-1)
	if len(b) < first+configWords*word {
		return serviceConfig{}, false
	}
	return serviceConfig{
		start: layout.U32(b, configStart),
		path:  terminated(b, base, layout.Word(b, first+configPath*word, word)),
		owner: terminated(b, base, layout.Word(b, first+configOwner*word, word)),
	}, true
}

// decodeServiceDescription reads SERVICE_DESCRIPTION, one pointer, which is null where
// nobody has described the service.
func decodeServiceDescription(b []byte, base uint64, word int) []byte {
	if len(b) < word {
		return nil
	}
	return terminated(b, base, layout.Word(b, 0, word))
}

// decodeServiceDelayed reads SERVICE_DELAYED_AUTO_START_INFO, one BOOL.
func decodeServiceDelayed(b []byte) bool { return len(b) >= 4 && layout.U32(b, 0) != 0 }

// Services returns all services but drivers, by name.
func (b *backend) Services(ctx context.Context) ([]platform.ServiceInfo, error) {
	infos, err := b.describe(ctx, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(infos, func(a, b platform.ServiceInfo) int { return cmp.Compare(a.Name, b.Name) })
	return infos, nil
}

// Service returns one. A name in the same case is found before one in another.
func (b *backend) Service(ctx context.Context, name string) (platform.ServiceInfo, error) {
	infos, err := b.describe(ctx, func(n string) bool { return n == name || alike(n, name) })
	if err != nil {
		return platform.ServiceInfo{}, err
	}
	if len(infos) == 0 {
		return platform.ServiceInfo{}, fmt.Errorf("there is no service %s: %w", text.Repair(name), fs.ErrNotExist)
	}
	if i := slices.IndexFunc(infos, func(s platform.ServiceInfo) bool { return s.Name == name }); i >= 0 {
		return infos[i], nil
	}
	return infos[0], nil
}

// alike reports whether two names are one to Windows, which knows no case. Bytes that
// are no text are like none but themselves.
func alike(a, b string) bool {
	return utf8.ValidString(a) && utf8.ValidString(b) && strings.EqualFold(a, b)
}

// listed is a service of the list, and its name as it has to be asked for.
type listed struct {
	info platform.ServiceInfo
	name []uint16
}

// describe lays open the services whose names are wanted.
func (b *backend) describe(ctx context.Context, wanted func(name string) bool) ([]platform.ServiceInfo, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	var all []listed
	if err := p.services(func(s *service) bool {
		name := string(text.AppendUTF16(nil, s.name))
		if wanted(name) {
			all = append(all, listed{platform.ServiceInfo{Name: name, DisplayName: string(text.AppendUTF16(nil, s.display)),
				State: s.state, Process: platform.Key{ID: s.pid}}, unitsOf(s.name)})
		}
		return true
	}); err != nil {
		return nil, named("EnumServicesStatusEx", err)
	}
	p.tie(all)
	infos := make([]platform.ServiceInfo, 0, len(all))
	for i := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.configure(&all[i])
		infos = append(infos, all[i].info)
	}
	return infos, nil
}

// unitsOf returns UTF-16 as numbers.
func unitsOf(b []byte) []uint16 {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = layout.U16(b, 2*i)
	}
	return units
}

// tie tells which process a service runs in. One that is younger than the list is
// another: the service's has ended, and its PID went to somebody else.
func (p *inspection) tie(all []listed) {
	now, _ := p.kernel.Clocks()
	p.pass = pass{}
	if p.processes() != nil {
		return
	}
	for i := range all {
		process := &all[i].info.Process
		if at, ok := p.places[process.ID]; ok && process.ID != 0 {
			if start := p.keyOf(p.entries[at]).Start; start+unixEpoch <= now {
				process.Start = start
			}
		}
	}
}

// configure asks one service about itself.
func (p *inspection) configure(s *listed) {
	h, err := p.kernel.OpenService(s.name)
	if err != nil {
		s.info.Err = named("OpenService", err)
		return
	}
	defer p.kernel.CloseService(h)
	s.info.Err = errors.Join(p.started(h, &s.info), p.described(h, &s.info))
}

// started reads what starts a service, as what, and when.
func (p *inspection) started(h Handle, s *platform.ServiceInfo) (err error) {
	var answer []byte
	answer, p.buf, err = layout.Grow(p.buf, func(buf []byte) (int, error) { return p.kernel.ServiceConfig(h, buf) })
	if err != nil {
		return named("QueryServiceConfig", err)
	}
	c, ok := decodeServiceConfig(answer, p.kernel.Address(p.buf), p.word)
	if !ok {
		return named("QueryServiceConfig", errContent)
	}
	path, owner := string(text.AppendUTF16(nil, c.path)), string(text.AppendUTF16(nil, c.owner))
	s.BinaryPath, s.Owner = &path, &owner
	start := platform.ServiceStart(c.start)
	switch {
	case c.start > uint32(platform.StartDisabled):
		return named("QueryServiceConfig", errContent)
	case start == platform.StartAutomatic:
		if start, err = p.delayed(h); err != nil {
			return err
		}
	}
	s.Start = &start
	return nil
}

// delayed tells an automatic start that waits from one that does not. Windows before
// Vista, and Wine before version 9, know only the latter.
func (p *inspection) delayed(h Handle) (platform.ServiceStart, error) {
	answer, err := p.config2(h, serviceDelayed)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return platform.StartAutomatic, nil
	case err != nil:
		return 0, named("SERVICE_CONFIG_DELAYED_AUTO_START_INFO", err)
	case decodeServiceDelayed(answer):
		return platform.StartDelayedAutomatic, nil
	}
	return platform.StartAutomatic, nil
}

// described reads what a service is for.
func (p *inspection) described(h Handle, s *platform.ServiceInfo) error {
	answer, err := p.config2(h, serviceDescription)
	if err != nil {
		return named("SERVICE_CONFIG_DESCRIPTION", err)
	}
	description := string(text.AppendUTF16(nil, decodeServiceDescription(answer, p.kernel.Address(p.buf), p.word)))
	s.Description = &description
	return nil
}

func (p *inspection) config2(h Handle, level uint32) (answer []byte, err error) {
	answer, p.buf, err = layout.Grow(p.buf, func(buf []byte) (int, error) { return p.kernel.ServiceConfig2(h, level, buf) })
	return answer, err
}
