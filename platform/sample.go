package platform

import "math/bits"

// MaxFields is the most fields that one entity may have.
const MaxFields = 128

// Sample is what one pass read of one entity: its key, and the fields and texts
// that were really read. What was not read is not set, which is not the same as
// zero. A sample and all its texts are lent until the [Sink] returns.
type Sample struct {
	Entity Entity
	Key    Key

	present [MaxFields / 64]uint64
	values  [MaxFields]uint64
	known   TextSet
	texts   [numTexts][]byte
}

// Reset makes s an empty sample of the entity e with the key k.
func (s *Sample) Reset(e Entity, k Key) {
	s.Entity, s.Key, s.known = e, k, 0
	clear(s.present[:])
}

// Set records the value of f, in f's base unit. f must belong to s.Entity.
func (s *Sample) Set(f Field, v uint64) {
	i := f - blocks[s.Entity]
	s.values[i] = v
	s.present[i/64] |= 1 << (i % 64)
}

// SetSigned records the value of a field whose [FieldInfo] says Signed.
func (s *Sample) SetSigned(f Field, v int64) { s.Set(f, uint64(v)) }

// Get returns the value of f and whether it was read.
func (s *Sample) Get(f Field) (uint64, bool) {
	i := f - blocks[s.Entity]
	if i >= MaxFields || s.present[i/64]&(1<<(i%64)) == 0 {
		return 0, false
	}
	return s.values[i], true
}

// Clear forgets the value of f.
func (s *Sample) Clear(f Field) {
	i := f - blocks[s.Entity]
	s.present[i/64] &^= 1 << (i % 64)
}

// Len returns how many fields are set.
func (s *Sample) Len() (n int) {
	for _, w := range s.present {
		n += bits.OnesCount64(w)
	}
	return n
}

// SetText records the bytes of t, which s keeps without copying.
func (s *Sample) SetText(t Text, b []byte) {
	s.texts[t] = b
	s.known |= 1 << t
}

// Text returns the bytes of t and whether they were read. They are valid as long
// as the sample is.
func (s *Sample) Text(t Text) ([]byte, bool) {
	if !s.known.Has(t) {
		return nil, false
	}
	return s.texts[t], true
}
