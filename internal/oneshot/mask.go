package oneshot

import "github.com/pidometer/pidometer/platform"

// mask is a set of slots of a layout: as many as one entity may have fields.
type mask [platform.MaxFields / 64]uint64

func (m *mask) has(i int) bool { return m[uint(i)/64]&(1<<(uint(i)%64)) != 0 }
func (m *mask) add(i int)      { m[uint(i)/64] |= 1 << (uint(i) % 64) }
func (m *mask) drop(i int)     { m[uint(i)/64] &^= 1 << (uint(i) % 64) }
