package windows

import (
	"encoding/binary"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// relationCore is RelationProcessorCore of LOGICAL_PROCESSOR_RELATIONSHIP.
const relationCore = 0

// readTopology counts the cores, once: they are not added while a program runs.
func (p *hostPass) readTopology() error {
	if p.host.cores == 0 && p.host.coresErr == nil {
		p.host.cores, p.host.coresErr = p.cores()
	}
	if p.host.coresErr != nil {
		return p.host.coresErr
	}
	p.host.sample.Set(platform.HostCPUPhysical, p.host.cores)
	return nil
}

func (p *hostPass) cores() (uint64, error) {
	input := binary.LittleEndian.AppendUint32(nil, relationCore)
	answer, err := p.grow(func(buf []byte) (int, error) {
		return p.kernel.SystemEx(classLogicalProcessors, input, buf)
	})
	if err != nil {
		return 0, err
	}
	cores, ok := decodeCores(answer)
	if !ok || cores == 0 {
		return 0, errContent
	}
	return cores, nil
}

// decodeCores counts the cores in a list of SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX,
// each of which begins with what it is of and how long it is.
func decodeCores(b []byte) (cores uint64, ok bool) {
	for len(b) > 0 {
		if len(b) < 8 {
			return 0, false
		}
		size := layout.U32(b, 4)
		if size < 8 || uint64(size) > uint64(len(b)) {
			return 0, false
		}
		if layout.U32(b, 0) == relationCore {
			cores++
		}
		b = b[size:]
	}
	return cores, true
}
