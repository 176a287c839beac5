package linux

import "github.com/pidometer/pidometer/platform"

func (p *hostPass) readTexts() {
	p.readMachineID()
	p.readHostname()
	p.readUname()
	p.readOSRelease()
	p.readKernelRelease()
}

// keep sets a text from bytes that are lent for less than the sample lives.
func (p *hostPass) keep(t platform.Text, b []byte) {
	if len(b) == 0 {
		return
	}
	own := &p.host.texts[t]
	*own = append((*own)[:0], b...)
	p.host.sample.SetText(t, *own)
}

// readMachineID reads systemd's file, else that of D-Bus, which came first and
// has the same form.
func (p *hostPass) readMachineID() {
	if !p.wants(fromMachineID) {
		return
	}
	b, err := p.small("etc/machine-id")
	id, ok := decodeMachineID(b)
	if !ok {
		b, err = p.small("var/lib/dbus/machine-id")
		id, ok = decodeMachineID(b)
	}
	if !ok {
		p.missText(fromMachineID, err)
		return
	}
	p.keep(platform.HostID, id)
}

// missText misses a source that could not be read, or that said nothing.
func (p *hostPass) missText(source int, err error) {
	if err == nil {
		p.miss(source, platform.Unknown)
		return
	}
	p.miss(source, missReason(err))
}

// readHostname reads the node name. In a moved view the kernel tells the reading
// process its own namespace's name, so the file in etc is nearer to the truth.
func (p *hostPass) readHostname() {
	if !p.wants(fromHostname) {
		return
	}
	paths := []string{"proc/sys/kernel/hostname", "etc/hostname"}
	if p.options.moved() {
		paths[0], paths[1] = paths[1], paths[0]
	}
	var err error
	for _, path := range paths {
		var b []byte
		b, err = p.small(path)
		if name, ok := decodeNodeName(b); ok {
			p.keep(platform.HostName, name)
			return
		}
	}
	p.missText(fromHostname, err)
}

func (p *hostPass) readUname() {
	if !p.wants(fromUname) {
		return
	}
	if arch := p.host.texts[platform.HostArch]; len(arch) > 0 {
		p.host.sample.SetText(platform.HostArch, arch)
	}
	p.host.sample.SetText(platform.OSType, p.host.texts[platform.OSType])
}

// readOSRelease reads the file of the administrator, else that of the vendor
// (man 5 os-release).
func (p *hostPass) readOSRelease() {
	if !p.wants(fromOSRelease) {
		return
	}
	b, err := p.small("etc/os-release")
	if err != nil {
		b, err = p.small("usr/lib/os-release")
	}
	release := decodeOSRelease(b)
	if release.name == nil && release.version == nil && release.description == nil {
		p.missText(fromOSRelease, err)
		return
	}
	p.keep(platform.OSName, release.name)
	p.keep(platform.OSVersion, release.version)
	p.keep(platform.OSDescription, release.description)
}

func (p *hostPass) readKernelRelease() {
	if !p.wants(fromKernelRelease) {
		return
	}
	b, err := p.small("proc/sys/kernel/osrelease")
	if release, ok := decodeNodeName(b); ok {
		p.keep(platform.OSBuild, release)
		return
	}
	p.missText(fromKernelRelease, err)
}
