package linux

// stateful carries the state of the host half beside the kernel, from pass to
// pass.
type stateful struct {
	Kernel
	host *host
}

// hostState returns the state of the host half, made by its first pass.
func (b *backend) hostState() *host {
	if k, ok := b.kernel.(stateful); ok {
		return k.host
	}
	h := newHost(b.kernel, b.root, b.options)
	b.kernel = stateful{b.kernel, h}
	return h
}
