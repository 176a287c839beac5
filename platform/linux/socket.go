package linux

import (
	"errors"
	"io"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
)

// readTCP counts the sockets of both families. A kernel without IPv6 has only the
// first table; with one of them unreadable there is no sum.
func (p *hostPass) readTCP() {
	if !p.wants(fromTCP) {
		return
	}
	var counts tcpCounts
	err := p.sockets("tcp", func(line []byte) { decodeTCP(line, &counts) })
	if err != nil {
		p.miss(fromTCP, missReason(err))
		return
	}
	counts.set(&p.host.sample)
}

func (p *hostPass) readUDP() {
	if !p.wants(fromUDP) {
		return
	}
	var count uint64
	err := p.sockets("udp", func(line []byte) { decodeUDP(line, &count) })
	if err != nil {
		p.miss(fromUDP, missReason(err))
		return
	}
	p.host.sample.Set(platform.HostUDP, count)
}

// sockets hands the lines of a table, and of its twin for IPv6, to each.
func (p *hostPass) sockets(name string, each func(line []byte)) error {
	if err := p.stream(each, p.net, name); err != nil {
		return err
	}
	err := p.stream(each, p.net, name, "6")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stream hands the lines of a file to each.
func (p *hostPass) stream(each func(line []byte), parts ...string) error {
	fd, err := p.open(p.root, parts...)
	if err != nil {
		return err
	}
	defer p.kernel.Close(fd)
	if p.host.lines == nil {
		p.host.lines = make([]byte, streamSize)
	}
	s := stream{kernel: p.kernel, fd: fd, buf: p.host.lines}
	for p.ctx.Err() == nil {
		line, err := s.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		each(line)
	}
	return p.ctx.Err()
}
