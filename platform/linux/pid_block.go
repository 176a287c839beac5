package linux

import "bytes"

// Arguments reads cmdline.
func (p *inspection) Arguments() ([]string, error) {
	return p.block("cmdline")
}

// Environment reads environ.
func (p *inspection) Environment() ([]string, error) {
	return p.block("environ")
}

// block reads a block of texts from the process's memory.
func (p *inspection) block(name string) ([]string, error) {
	return detail(p, name, ofPrograms, func(dir int) ([]string, error) {
		n, err := p.drainBlock(dir, name, &p.args)
		if err != nil {
			return nil, err
		}
		return decodeBlock(p.args[:n]), nil
	})
}

// decodeBlock splits texts of which each ends in a NUL byte. The last may lack it,
// where a process wrote over its arguments (get_mm_cmdline in fs/proc/base.c); such
// a title is one text. psutil splits it at blanks (its issue 1179), and with it the
// lone argument "/opt/My App/run".
func decodeBlock(b []byte) []string {
	list := []string{}
	for len(b) > 0 {
		item, rest, _ := bytes.Cut(b, []byte{0})
		list = append(list, string(item))
		b = rest
	}
	return list
}
