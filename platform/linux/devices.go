package linux

// devices remembers what was looked up of each device for as long as it exists.
type devices struct {
	known map[string]*device
	pass  uint64
}

// device is one of them.
type device struct {
	name   string
	listed bool   // looked up: reported by default
	row    int    // place in a table of the pass
	pass   uint64 // the last that saw it

	link    *sysDevice // of an interface
	address []byte     // likewise
}

func (d *devices) init() { d.known = map[string]*device{} }

// begin starts a pass.
func (d *devices) begin() { d.pass++ }

// see returns the device of a name, and whether it is new to this pass and new at
// all.
func (d *devices) see(name []byte) (dev *device, first, fresh bool) {
	dev, ok := d.known[string(name)]
	if !ok {
		dev = &device{name: string(name)}
		d.known[dev.name] = dev
	}
	first = dev.pass != d.pass
	dev.pass = d.pass
	return dev, first, !ok
}

// prune forgets the devices that the pass did not see: one that comes back is
// another.
func (d *devices) prune() {
	for name, dev := range d.known {
		if dev.pass != d.pass {
			delete(d.known, name)
		}
	}
}
