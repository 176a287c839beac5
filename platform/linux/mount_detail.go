package linux

import (
	"context"
	"errors"
	"fmt"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Mounts reads mountinfo: of this process, or of the first process of a moved view.
func (b *backend) Mounts(ctx context.Context) ([]platform.Mount, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	table, err := p.mountInfo()
	if err != nil {
		return nil, fmt.Errorf("/proc/self/mountinfo: %w", err)
	}
	mounts := []platform.Mount{}
	for line := range text.Lines(text.Whole(table)) {
		if m, ok := decodeMountDetail(line); ok {
			mounts = append(mounts, m)
		}
	}
	return mounts, nil
}

func (p *inspection) mountInfo() (table []byte, err error) {
	err = errors.ErrUnsupported
	if p.options.moved() {
		table, err = p.file("proc/1/mountinfo")
	}
	if err != nil {
		table, err = p.file("proc/self/mountinfo")
	}
	return table, err
}

// decodeMountDetail reads one line of mountinfo (man 5 proc_pid_mountinfo) with all
// that decodeMountinfo has no use for.
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
func decodeMountDetail(line []byte) (m platform.Mount, ok bool) {
	l, ok := decodeMountinfo(line)
	if !ok {
		return m, false
	}
	id, rest, okID := text.UintField(line)
	parent, rest, okParent := text.UintField(rest)
	root, rest := text.Field(text.Skip(rest, 1))
	options, rest := text.Field(text.Skip(rest, 1))
	rest, _ = skipOptional(rest)
	super, _ := text.Field(text.Skip(rest, 2))
	return platform.Mount{
		ID: id, Parent: parent, Device: l.device,
		Root: unoctal(root), Point: unoctal(l.point),
		Type: unoctal(l.kind), Source: unoctal(l.source),
		Options: unoctal(options), SuperOptions: unoctal(super), ReadOnly: l.mode == "ro",
	}, okID && okParent
}

func unoctal(b []byte) string { return string(text.Unoctal(nil, b)) }
