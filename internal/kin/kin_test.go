package kin

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func below(t *testing.T, all []platform.Relative, pid uint64, deep bool) []platform.Relative {
	t.Helper()
	kin, err := Below(func() ([]platform.Relative, error) { return all, nil }, pid, deep)
	if err != nil {
		t.Fatal(err)
	}
	return kin
}

func above(t *testing.T, all []platform.Relative, pid uint64) []platform.Relative {
	t.Helper()
	kin, err := Above(func() ([]platform.Relative, error) { return all, nil }, pid)
	if err != nil {
		t.Fatal(err)
	}
	return kin
}

// Without a list there is nobody, and the reason.
func TestNoList(t *testing.T) {
	odd := errors.New("odd")
	none := func() ([]platform.Relative, error) { return nil, odd }
	if kin, err := Below(none, 1, true); kin != nil || err != odd {
		t.Error(kin, err)
	}
	if kin, err := Above(none, 1); kin != nil || err != odd {
		t.Error(kin, err)
	}
}

// some are processes with parents among them, above them, or nowhere; few are their own, or in
// a circle.
func some(rng *rand.Rand) (all []platform.Relative) {
	n := 1 + rng.Uint64N(12)
	for pid := range n {
		all = append(all, platform.Relative{Key: platform.Key{ID: pid, Start: rng.Uint64N(5)}, Parent: rng.Uint64N(n + 2)})
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// descends reports whether a process comes from another in so many generations or fewer.
func descends(all []platform.Relative, from platform.Relative, pid uint64, generations int) bool {
	if generations == 0 {
		return false
	}
	if from.Parent == pid {
		return true
	}
	for _, r := range all {
		if r.Key.ID == from.Parent {
			return descends(all, r, pid, generations-1)
		}
	}
	return false
}

// Who is below is who descends, and who is above is who one descends from, each of them once:
// in every kind of family.
func TestFamilies(t *testing.T) {
	for seed := range uint64(5000) {
		all := some(rand.New(rand.NewPCG(seed, 1)))
		for _, of := range all {
			for _, deep := range []bool{false, true} {
				generations := map[bool]int{false: 1, true: len(all)}[deep]
				check(t, below(t, all, of.Key.ID, deep), all, func(r platform.Relative) bool {
					return r.Key != of.Key && descends(all, r, of.Key.ID, generations)
				})
			}
			parents := above(t, all, of.Key.ID)
			check(t, parents, all, func(r platform.Relative) bool { return r.Key != of.Key && descends(all, of, r.Key.ID, len(all)) })
			child := of
			for _, parent := range parents {
				if child.Parent != parent.Key.ID {
					t.Fatalf("%v: %v stands above %v", all, parent, child)
				}
				child = parent
			}
		}
	}
}

// check compares whom somebody has with who it should be.
func check(t *testing.T, got, all []platform.Relative, should func(platform.Relative) bool) {
	t.Helper()
	told := map[platform.Key]int{}
	for _, r := range got {
		told[r.Key]++
	}
	for _, r := range all {
		if want := should(r); told[r.Key] > 1 || (told[r.Key] == 1) != want {
			t.Fatalf("%v: %v is told %d times, want %v", all, r, told[r.Key], want)
		}
	}
	if got == nil {
		t.Fatal("nobody is a list of none")
	}
}

// The eldest come first, and of one moment those whose PID is less.
func TestOrder(t *testing.T) {
	for seed := range uint64(1000) {
		all := some(rand.New(rand.NewPCG(seed, 2)))
		kin := below(t, all, all[0].Key.ID, true)
		for i := 1; i < len(kin); i++ {
			a, b := kin[i-1].Key, kin[i].Key
			if a.Start > b.Start || a.Start == b.Start && a.ID >= b.ID {
				t.Fatalf("%v stands before %v", a, b)
			}
		}
	}
}

// Whom the list does not have has nobody above, and those below that name it.
func TestStranger(t *testing.T) {
	all := []platform.Relative{{Key: platform.Key{ID: 5}, Parent: 9}, {Key: platform.Key{ID: 6}, Parent: 5}}
	if kin := below(t, all, 9, true); len(kin) != 2 {
		t.Error(kin)
	}
	if kin := above(t, all, 9); len(kin) != 0 {
		t.Error(kin)
	}
}
