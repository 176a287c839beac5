package windows

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// serviceStates are the fields of the states by their numbers in SERVICE_STATUS
// (winsvc.h), which begin with 1.
var serviceStates = []platform.Field{
	1: platform.ServiceStopped, platform.ServiceStartPending, platform.ServiceStopPending, platform.ServiceRunning,
	platform.ServiceContinuePending, platform.ServicePausePending, platform.ServicePaused,
}

// Offsets in SERVICE_STATUS_PROCESS, which stands behind two pointers, to name and
// display name, in ENUM_SERVICE_STATUS_PROCESS.
const (
	serviceState   = 4
	serviceProcess = 28
	serviceStatus  = 36 // size
)

// service is one service. Its names are UTF-16 with a NUL behind.
type service struct {
	name, display []byte
	state         uint32
	pid           uint64 // 0 for none
}

// decodeServices calls each with every service of a list, which lies at base.
func decodeServices(b []byte, base uint64, word, count int, each func(service) bool) (whole bool) {
	size := 2*word + serviceStatus
	size += -size & (word - 1)
	if count < 0 || count > len(b)/size {
		return false
	}
	for i := range count {
		row := b[i*size:]
		s := service{state: layout.U32(row, 2*word+serviceState), pid: uint64(layout.U32(row, 2*word+serviceProcess))}
		s.name = terminated(b, base, layout.Word(row, 0, word))
		s.display = terminated(b, base, layout.Word(row, word, word))
		if !each(s) {
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

// sendServices hands on each service.
func (p *hostPass) sendServices() (more bool) {
	if !p.wants(fromServices) {
		return true
	}
	count := 0
	answer, err := p.grow(func(buf []byte) (n int, err error) {
		n, count, err = p.kernel.Services(buf)
		return n, err
	})
	if err != nil {
		p.check(fromServices, err)
		return true
	}
	clear(p.host.seen)
	more = true
	whole := decodeServices(answer, p.kernel.Address(p.buf), p.word, count, func(s service) bool {
		more = p.sendService(&s)
		return more
	})
	if !whole {
		p.check(fromServices, errContent)
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
	if s.state >= 1 && uint64(s.state) < uint64(len(serviceStates)) {
		for _, f := range serviceStates[1:] {
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
