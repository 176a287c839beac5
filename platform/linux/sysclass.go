package linux

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// class is one kind of hardware in sysfs: a folder with a folder for each device.
type class struct {
	classKind
	devices []*sysDevice // of the pass, by name
	known   map[string]*sysDevice
	pass    uint64
}

// classKind is what sets one class apart.
type classKind struct {
	source int
	folder string                                // ends in a slash
	names  func(name []byte) bool                // which of its folders are devices
	layOut func(p *hostPass, d *sysDevice) error // finds the parts of one
	fill   func(p *hostPass, c *part)            // sets what the sample of a part has
}

// sysDevice is one folder of a class, and one question: a driver may have to ask the
// hardware for every file of it. Its parts are of the asker until it has answered.
type sysDevice struct {
	question
	kernel  Kernel
	root    int
	name    string // of the folder
	folder  string // ends in a slash
	listing []byte // the folder's entries when the parts were found
	id      []byte // what tells it from all other hardware of the machine
	title   []byte // what it calls itself
	parts   []*part
	denied  error // why a file could not be read, if a privilege was missing
	pass    uint64
}

// part is one piece of hardware: a channel of a chip, a battery, a zone. What its
// files say stands under the numbers that the class gives them.
type part struct {
	device  *sysDevice
	id      string
	channel []byte // "" for a device of one part
	kind    int
	files   []sysFile
	values  [mostFiles]int64
	words   [mostFiles][]byte
	has     uint64 // of values and words
	title   []byte
	energy  energyCounter
}

// sysFile is one file of a part, and the place of what it says.
type sysFile struct {
	path  []byte
	place int
	word  bool // it says no number
}

const mostFiles = 32

func newClass(k classKind) class { return class{classKind: k, known: map[string]*sysDevice{}} }

// list brings the devices of a class up to date. Listing a folder asks no driver.
func (p *hostPass) list(c *class) error {
	c.devices = c.devices[:0]
	c.pass++
	listing, err := p.entries(c.folder)
	if err != nil {
		clear(c.known)
		return err
	}
	decodeEntries(listing, func(name []byte) {
		if c.names(name) {
			c.see(p, name)
		}
	})
	for name, d := range c.known {
		if d.pass != c.pass {
			delete(c.known, name)
		}
	}
	slices.SortFunc(c.devices, func(a, b *sysDevice) int { return strings.Compare(a.name, b.name) })
	for _, d := range c.devices {
		p.parts(c, d)
	}
	return nil
}

func (c *class) see(p *hostPass, name []byte) {
	d, ok := c.known[string(name)]
	if !ok {
		d = &sysDevice{kernel: p.kernel, root: p.root, name: string(name)}
		d.folder = c.folder + d.name + "/"
		d.ask = d.read
		c.known[d.name] = d
	}
	d.pass = c.pass
	c.devices = append(c.devices, d)
}

// parts finds the parts of a device again if its folder has other entries than it
// had. They carry inode numbers, which another device in its place does not have.
// What is still being read stays what it is.
func (p *hostPass) parts(c *class, d *sysDevice) {
	if !p.host.guard.idle(&d.question) {
		return
	}
	listing, err := p.entries(d.folder)
	if err != nil {
		d.listing, d.parts = d.listing[:0], nil
		return
	}
	if bytes.Equal(listing, d.listing) {
		return
	}
	d.listing = append(d.listing[:0], listing...)
	d.answered = false // about other parts
	d.parts, d.id, d.title = nil, []byte(d.name), []byte(d.name)
	if c.layOut(p, d) != nil {
		d.listing, d.parts = d.listing[:0], nil
	}
}

// entries returns the raw entries of a folder, lent until the next call.
func (p *hostPass) entries(folder string) ([]byte, error) {
	fd, err := p.kernel.Open(p.root, p.join(strings.TrimSuffix(folder, "/")))
	if err != nil {
		return nil, err
	}
	defer p.kernel.Close(fd)
	all := p.host.entries[:0]
	for len(all) < mostDirents {
		n, err := p.kernel.ReadDir(fd, p.dirents)
		if err != nil || n == 0 {
			p.host.entries = all
			return all, err
		}
		all = append(all, p.dirents[:n]...)
	}
	p.host.entries = nil
	return nil, errEndless
}

// add gives a device a part, whose id is the device's, and behind it that of the
// channel where there are several.
func (d *sysDevice) add(channel string, kind int) *part {
	c := &part{device: d, id: string(d.id), channel: []byte(channel), kind: kind}
	if channel != "" {
		c.id += "/" + channel
	}
	d.parts = append(d.parts, c)
	return c
}

// take gives a part one of the device's files.
func (c *part) take(folder, file string, place int, word bool) {
	c.files = append(c.files, sysFile{append([]byte(folder+file), 0), place, word})
}

// read reads all files. A file that fails costs what it tells: a sensor may be there
// and not be connected.
func (d *sysDevice) read() (failed error) {
	told := false
	d.denied = nil
	for _, c := range d.parts {
		c.has = 0
		for i := range c.files {
			err := c.read(&c.files[i])
			told = told || err == nil
			if errors.Is(err, fs.ErrPermission) {
				d.denied = err
			}
			if failed == nil {
				failed = err
			}
		}
	}
	if told {
		return nil
	}
	return failed
}

// read reads one file.
func (c *part) read(f *sysFile) (err error) {
	d := c.device
	b, err := readFile(d.kernel, d.root, f.path, c.words[f.place])
	c.words[f.place] = b
	if err != nil {
		return err
	}
	if f.word {
		c.has |= 1 << f.place
		return nil
	}
	v, ok := decodeInteger(b)
	if !ok {
		return errNoNumber
	}
	c.values[f.place] = v
	c.has |= 1 << f.place
	return nil
}

// get returns what a file said, if it said something.
func (c *part) get(place int) (int64, bool) { return c.values[place], c.has>>place&1 != 0 }

// word returns what a file said, without the blanks around it. Nothing is "".
func (c *part) word(place int) []byte {
	if c.has>>place&1 == 0 {
		return nil
	}
	return text.Trim(c.words[place])
}

// decodeInteger reads a file of sysfs that holds one number, which may be negative.
func decodeInteger(b []byte) (v int64, ok bool) {
	b = text.Trim(b)
	digits, negative := bytes.CutPrefix(b, []byte("-"))
	if len(digits) == 0 || digits[0]-'0' > 9 {
		return 0, false
	}
	n, rest, ok := text.UintField(digits)
	if !ok || len(rest) > 0 || n > 1<<63-1 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// askClass puts the devices of a class into the round of questions.
func (p *hostPass) askClass(c *class) {
	c.devices = c.devices[:0]
	if !p.wants(c.source) {
		return
	}
	if err := p.list(c); err != nil {
		p.miss(c.source, missReason(err))
		return
	}
	p.askDevices(c)
}

func (p *hostPass) askDevices(c *class) {
	for _, d := range c.devices {
		if len(d.parts) > 0 {
			p.host.guard.ask(&d.question)
		}
	}
}

// sendClass hands on the parts of the devices of a class that answered.
func (p *hostPass) sendClass(c *class) bool {
	for _, d := range c.devices {
		if len(d.parts) == 0 {
			continue
		}
		err := d.answer()
		if err == nil {
			err = d.denied
		}
		if err != nil {
			p.miss(c.source, missReason(err))
		}
		if d.answer() == nil && !p.sendParts(c, d) {
			return false
		}
	}
	return true
}

func (p *hostPass) sendParts(c *class, d *sysDevice) bool {
	s := &p.host.sample
	for _, part := range d.parts {
		s.Reset(platform.Hardware, platform.Key{Name: part.id})
		c.fill(p, part)
		if s.Len() > 0 && !p.send() {
			return false
		}
	}
	return true
}

// describe sets a text of the sample, unless there is none.
func (p *hostPass) describe(t platform.Text, b []byte) {
	if len(b) > 0 {
		p.host.sample.SetText(t, b)
	}
}
