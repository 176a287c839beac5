package windows

import (
	"bytes"
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// serviceStates are the fields of the states by their numbers in SERVICE_STATUS
// (winsvc.h), which begin with 1.
var serviceStates = [...]platform.Field{
	platform.ServiceIsStopped:         platform.ServiceStopped,
	platform.ServiceIsStartPending:    platform.ServiceStartPending,
	platform.ServiceIsStopPending:     platform.ServiceStopPending,
	platform.ServiceIsRunning:         platform.ServiceRunning,
	platform.ServiceIsContinuePending: platform.ServiceContinuePending,
	platform.ServiceIsPausePending:    platform.ServicePausePending,
	platform.ServiceIsPaused:          platform.ServicePaused,
}

// Offsets in SERVICE_STATUS_PROCESS, which stands behind two pointers, to name and
// display name, in ENUM_SERVICE_STATUS_PROCESS.
const (
	serviceState    = 4
	serviceExit     = 12 // dwWin32ExitCode
	serviceSpecific = 16 // dwServiceSpecificExitCode
	serviceProcess  = 28
	serviceStatus   = 36 // size
)

// status is what is read of SERVICE_STATUS_PROCESS.
type status struct {
	state    platform.ServiceState
	pid      uint64 // 0 for none
	exit     uint32 // an error of Windows
	specific uint32 // the service's own, where exit is ERROR_SERVICE_SPECIFIC_ERROR
}

// decodeServiceStatus reads SERVICE_STATUS_PROCESS.
func decodeServiceStatus(b []byte) (s status, ok bool) {
	if len(b) < serviceStatus {
		return status{}, false
	}
	if state := layout.U32(b, serviceState); uint64(state) < uint64(len(serviceStates)) {
		s.state = platform.ServiceState(state)
	}
	s.pid = uint64(layout.U32(b, serviceProcess))
	s.exit, s.specific = layout.U32(b, serviceExit), layout.U32(b, serviceSpecific)
	return s, true
}

// service is one service. Its names are UTF-16.
type service struct {
	name, display []byte
	status
}

// decodeServices calls each with every service of a list, which lies at base.
func decodeServices(b []byte, base uint64, word, count int, each func(*service) bool) (whole bool) {
	size := 2*word + serviceStatus
	size += -size & (word - 1)
	if count < 0 || count > len(b)/size {
		return false
	}
	for i := range count {
		row := b[i*size:]
		s := service{name: terminated(b, base, layout.Word(row, 0, word)), display: terminated(b, base, layout.Word(row, word, word))}
		s.status, _ = decodeServiceStatus(row[2*word:])
		if !each(&s) {
			return true
		}
	}
	return true
}

// terminated returns the UTF-16 up to a NUL that a pointer leads to.
func terminated(b []byte, base, pointer uint64) []byte {
	if _, ok := layout.Within(b, base, pointer, 0); !ok {
		return nil
	}
	rest := b[pointer-base : len(b) : len(b)]
	for at := 0; ; at += 2 {
		i := bytes.Index(rest[min(at, len(rest)):], []byte{0, 0})
		if i < 0 {
			return nil
		}
		if at += i; at%2 == 0 {
			return rest[:at]
		}
		at-- // a high byte of 0 before a low one
	}
}

// errStuck says that a list leads back into itself.
var errStuck = errors.New("the list of services does not go on")

// services walks over all services, in pieces that fit into the buffer. What a service
// holds is lent until each returns.
func (r *reader) services(each func(*service) bool) error {
	for from := uint32(0); ; {
		count, next := 0, uint32(0)
		answer, buf, err := layout.Grow(r.buf, func(buf []byte) (n int, err error) {
			n, count, next, err = r.kernel.Services(from, buf)
			return n, err
		})
		if r.buf = buf; err != nil {
			return err
		}
		more := true
		if !decodeServices(answer, r.kernel.Address(r.buf), r.word, count, func(s *service) bool {
			more = each(s)
			return more
		}) {
			return errContent
		}
		switch {
		case !more || next == 0:
			return nil
		case next <= from:
			return errStuck
		}
		from = next
	}
}

// sendServices hands on each service.
func (p *hostPass) sendServices() (more bool) {
	if !p.wants(fromServices) {
		return true
	}
	clear(p.host.seen)
	more = true
	if err := p.services(func(s *service) bool {
		more = p.sendService(s)
		return more
	}); err != nil {
		p.check(fromServices, err)
	}
	return more
}

func (p *hostPass) sendService(s *service) bool {
	p.text = text.AppendUTF16(p.text[:0], s.name)
	name := string(p.text)
	if name == "" || !p.host.once(name) {
		return true
	}
	sample := &p.host.sample
	sample.Reset(platform.Service, platform.Key{Name: name})
	if s.state != platform.ServiceIsUnknown {
		for _, f := range serviceStates[platform.ServiceIsStopped:] {
			sample.Set(f, 0)
		}
		sample.Set(serviceStates[s.state], 1)
	}
	if s.pid != 0 {
		sample.Set(platform.ServiceProcess, s.pid)
	}
	sample.SetText(platform.ServiceDisplayName, text.AppendUTF16([]byte{}, s.display))
	return p.send()
}
