package linux

import (
	"reflect"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const statusDetailText = "Name:\tUid:\t0\t0\t0\nState:\tS (sleeping)\nTgid:\t6113\nPid:\t6114\nPPid:\t1\n" +
	"Uid:\t1000\t1001\t1002\t1003\nGid:\t4\t5\t6\t7\nGroups:\t4 24 27 \nNSpid:\t6114\t12\t1\n" +
	"CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000000400\nCapBnd:\t000001ffffffffff\n" +
	"CapAmb:\t0000000000000001\nCpus_allowed:\t13\nCpus_allowed_list:\t0-1,4\n"

func TestDecodeStatusDetail(t *testing.T) {
	var s statusDetail
	decodeStatusDetail([]byte(statusDetailText), &s)
	var id platform.Identity
	s.set(&id)
	four := func(a, b, c, d uint32) *platform.IDs {
		return &platform.IDs{Real: a, Effective: b, Saved: &c, Filesystem: &d}
	}
	if !reflect.DeepEqual(id.Users, four(1000, 1001, 1002, 1003)) || !reflect.DeepEqual(id.Groups, four(4, 5, 6, 7)) {
		t.Errorf("%+v, %+v", id.Users, id.Groups)
	}
	if s.process != 6113 || !slices.Equal(id.Supplementary, []uint32{4, 24, 27}) || !slices.Equal(id.Namespaces, []uint64{6114, 12, 1}) ||
		!slices.Equal(s.eligible, []int{0, 1, 4}) {
		t.Errorf("%+v, %+v", s, id)
	}
	if c := id.Capabilities; c.Effective != 1<<10 || c.Permitted != 1<<41-1 || c.Bounding != c.Permitted || *c.Ambient != 1 || c.Inheritable != 0 {
		t.Errorf("%+v", c)
	}
	decodeStatusDetail([]byte("Name:\tx\nGroups:\t\n"), &s)
	id = platform.Identity{}
	s.set(&id)
	if id.Users != nil || id.Supplementary == nil || len(id.Supplementary) > 0 || id.Namespaces != nil || id.Capabilities != nil {
		t.Errorf("%+v", id)
	}
}

func FuzzDecodeStatusDetail(f *testing.F) {
	f.Add([]byte(statusDetailText))
	f.Add([]byte("Uid:\t1 2 3\nGid:\t1\t2\t3\t4294967296\nGroups:\tx\nNSpid:\nCapEff:\tg\nCpus_allowed_list:\t3,1-2,2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d statusDetail
		decodeStatusDetail(b, &d)
		alike(t, d, true, slowStatusDetail(string(b)), true)
	})
}

func FuzzDecodeIDs(f *testing.F) {
	f.Add([]byte("\t0\t1\t2\t4294967295"))
	f.Fuzz(func(t *testing.T, b []byte) {
		alike(t, decodeIDs(b), true, slowIDs(string(b)), true)
		alike(t, decodeEligible(b), true, slowEligible(string(b)), true)
	})
}

func slowList[N uint32 | uint64](s string, bits int) []N {
	list := []N{}
	for _, f := range slowFields(s) {
		v, ok := slowUint(f, 10, bits)
		if !ok {
			return nil
		}
		list = append(list, N(v))
	}
	return list
}

func slowIDs(s string) *platform.IDs {
	l := slowList[uint32](s, 32)
	if len(l) != 4 {
		return nil
	}
	return &platform.IDs{Real: l[0], Effective: l[1], Saved: &l[2], Filesystem: &l[3]}
}

func slowEligible(s string) []int {
	list := []int{}
	for _, id := range slowCPUList(slowTrim(s)) {
		list = append(list, int(id))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func slowStatusDetail(s string) (d statusDetail) {
	sets := map[string]int{"CapInh": 0, "CapPrm": 1, "CapEff": 2, "CapBnd": 3, "CapAmb": 4}
	for _, p := range slowColons(s) {
		switch p[0] {
		case "Tgid":
			d.process, _ = slowUint(slowField(p[1], 0), 10, 64)
		case "Uid":
			d.users = slowIDs(p[1])
		case "Gid":
			d.groups = slowIDs(p[1])
		case "Groups":
			d.supplementary = slowList[uint32](p[1], 32)
		case "NSpid":
			d.namespaces = slowList[uint64](p[1], 64)
		case "Cpus_allowed_list":
			d.eligible = slowEligible(p[1])
		}
		if i, isSet := sets[p[0]]; isSet {
			d.capabilities[i], d.hasSet[i] = slowUint(slowField(p[1], 0), 16, 64)
		}
	}
	return d
}
