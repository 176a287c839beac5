package linux

import (
	"errors"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Linux 2.4 has no threads, no folder of them and no file of limits.
func TestProcessOfLinux24(t *testing.T) {
	opened, err := New(Options{Root: writeTree(t, oldKernels[0].files)})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	s, err := readOne(t, opened, platform.Key{ID: 42}, processSources)
	if err != nil {
		t.Fatal(err)
	}
	fields := s.fields[42]
	for f, want := range map[platform.Field]uint64{
		platform.ProcessCPUUser: 15 * tickNanos, platform.ProcessChildCPUSystem: 18 * tickNanos, platform.ProcessFaultsMajor: 13,
		platform.ProcessUser: 48, platform.ProcessMemoryRSS: 1660 * oldKB, platform.ProcessMemoryVirtual: 3060 * oldKB,
		platform.ProcessParent: 1, platform.ProcessCPUNumber: 0,
	} {
		if v, ok := fields[f]; !ok || v != want {
			t.Errorf("%v is %d, %v, want %d", f, v, ok, want)
		}
	}
	for _, f := range []platform.Field{platform.ProcessThreads, platform.ProcessDiskReads, platform.ProcessSwitchesVoluntary, platform.ProcessVPID} {
		if v, ok := fields[f]; ok {
			t.Errorf("%v is %d, which that kernel did not tell", f, v)
		}
	}
	p := inspect(t, opened.(*backend), 42)
	if id := got[platform.Identity](t)(p.Identity()); *id.Users.Saved != 48 || id.Namespaces != nil || id.Capabilities != nil {
		t.Errorf("%+v", id)
	}
	if _, err := p.Limits(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("limits: %v", err)
	}
}
