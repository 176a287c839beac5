package simkernel

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// HostList is what an inspector tells of its host: so many mounts, some of them by their places,
// and so many sessions with the first.
type HostList struct {
	Mounts   int
	Mount    map[int]platform.Mount
	Sessions int
	Session  platform.Session
}

// HostLists compares the lists of the host with what is so, the interfaces step by step.
func HostLists(t *testing.T, open func(*World) *Inspected, want HostList) {
	t.Helper()
	w := New(4, 8)
	m := open(w)
	defer m.Close()
	for range 100 {
		if err := CheckInterfaces(w, m.Inspector); err != nil {
			t.Fatal(err)
		}
		w.Step()
	}
	mounts, err := m.Mounts(context.Background())
	if err != nil || len(mounts) != want.Mounts {
		t.Fatalf("%+v, %v, want %d", mounts, err, want.Mounts)
	}
	for i, mount := range want.Mount {
		if mounts[i] != mount {
			t.Errorf("%+v, want %+v", mounts[i], mount)
		}
	}
	sessions, err := m.Sessions(context.Background())
	if err != nil || len(sessions) != want.Sessions || !reflect.DeepEqual(sessions[0], want.Session) {
		t.Errorf("%+v, %v, want %+v", sessions, err, want)
	}
}

// CheckInterfaces compares the interfaces with what is so: the loopback "lo0" and those of
// the world.
func CheckInterfaces(w *World, i platform.Inspector) error {
	list, err := i.Interfaces(context.Background())
	if err != nil {
		return err
	}
	lo := &Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}
	want := append([]*Interface{lo}, w.Interfaces...)
	if len(list) != len(want) {
		return fmt.Errorf("%d interfaces, want %d", len(list), len(want))
	}
	for n, truth := range want {
		if err := compareInterface(&list[n], truth, truth == lo); err != nil {
			return err
		}
	}
	return nil
}

func compareInterface(got *platform.Interface, truth *Interface, loopback bool) error {
	state := "down"
	if truth.Up {
		state = "up"
	}
	prefixes := truth.Addresses()
	v4 := platform.Address{IP: prefixes[0].Addr(), Bits: prefixes[0].Bits()}
	if !loopback {
		v4.Broadcast = truth.Broadcast()
	}
	addresses := []platform.Address{v4, {IP: prefixes[1].Addr().WithZone(truth.Name), Bits: prefixes[1].Bits()}}
	if got.Name != truth.Name || got.Index != truth.Index || got.State != state || got.MTU == nil || *got.MTU != truth.MTU ||
		!reflect.DeepEqual(got.Addresses, addresses) || slices.Contains(got.Flags, "loopback") != loopback || !slices.Contains(got.Flags, "up") {
		return fmt.Errorf("told %s, want %s with %s", show(got), show(truth), show(addresses))
	}
	if wantHardware := !loopback; (len(got.Hardware) == 6) != wantHardware || (got.Hardware != nil && got.Hardware[5] != byte(truth.Index)) {
		return fmt.Errorf("%s has the address %x", got.Name, got.Hardware)
	}
	return nil
}
