package platform

import (
	"iter"
	"math/bits"
)

// FieldSet is a set of fields. The zero value is empty.
type FieldSet [(int(numFields) + 63) / 64]uint64

// Fields returns the set of the given fields.
func Fields(fields ...Field) FieldSet {
	var s FieldSet
	for _, f := range fields {
		s.Add(f)
	}
	return s
}

// Add puts f into the set.
func (s *FieldSet) Add(f Field) { s[f/64] |= 1 << (f % 64) }

// Has reports whether f is in the set.
func (s *FieldSet) Has(f Field) bool { return s[f/64]&(1<<(f%64)) != 0 }

// Union returns the fields that are in s or in t.
func (s FieldSet) Union(t FieldSet) FieldSet {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

// Minus returns the fields of s that are not in t.
func (s FieldSet) Minus(t FieldSet) FieldSet {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

// Empty reports whether the set holds nothing.
func (s FieldSet) Empty() bool { return s == FieldSet{} }

// All yields the fields of the set in ascending order.
func (s FieldSet) All() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(Field(i*64 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// TextSet is a set of texts. The zero value is empty.
type TextSet uint64

// Texts returns the set of the given texts.
func Texts(texts ...Text) TextSet {
	var s TextSet
	for _, t := range texts {
		s |= 1 << t
	}
	return s
}

// Has reports whether t is in the set.
func (s TextSet) Has(t Text) bool { return s&(1<<t) != 0 }

// SourceSet is a set of sources, by their index in [Backend.Sources].
type SourceSet uint64

// Has reports whether the source with index i is in the set.
func (s SourceSet) Has(i int) bool { return s&(1<<i) != 0 }

// With returns the set with the source of index i added.
func (s SourceSet) With(i int) SourceSet { return s | 1<<i }

// Len returns how many sources the set holds.
func (s SourceSet) Len() int { return bits.OnesCount64(uint64(s)) }

// All yields the indices of the set in ascending order.
func (s SourceSet) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(bits.TrailingZeros64(uint64(s))) {
				return
			}
		}
	}
}
