package linux

// hostState returns what the host half keeps from pass to pass, made by its first
// one: a backend that never looks at the host has none.
func (b *backend) hostState() *host {
	if b.host == nil {
		b.host = newHost(b.kernel, b.root, b.options)
	}
	return b.host
}
