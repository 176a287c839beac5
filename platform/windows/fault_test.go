package windows

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// costs are the sources that a call which fails costs. System fails at once in New.
var costs = map[string][]int{
	"System":      {fromProcesses, fromPerformance, fromPageFiles, fromQueue},
	"SystemEx":    {fromInterrupts, fromTopology},
	"Performance": {fromMemory}, "Power": {fromPower}, "PowerStatus": {fromBattery}, "Interfaces": {fromInterfaces},
	"Sockets": {fromTCP, fromUDP, fromSockets}, "Statistics": {fromTCPStatistics, fromUDPStatistics, fromIPStatistics},
	"Sessions": {fromSessions}, "OpenDisk": {fromDisks, fromDiskSize}, "Control": {fromDisks, fromDiskSize},
	"Drives": {fromVolumes}, "Volume": {fromVolumes}, "Services": {fromServices}, "HostName": {fromHostName},
	"Registry": {fromMachineGUID, fromVersion}, "Open": {fromOwner, fromCommandLine, fromEnvironment, fromAffinity, fromUnique},
	"Process": {fromOwner, fromCommandLine, fromEnvironment, fromAffinity, fromUnique},
	"Owner":   {fromOwner}, "Memory": {fromEnvironment}, "Region": {fromUnique}, "WorkingSet": {fromUnique},
}

// Calls that fail in details alone, each by its test, or that cannot fail.
var (
	inDetails = []string{"Addresses", "File", "MappedFile", "DosDevice", "Image", "Event", "Signal", "Wait",
		"OpenService", "ServiceConfig", "ServiceConfig2", "Notify"}
	neverFails = []string{"Word", "Machine", "Pid", "Clocks", "Address", "Version", "Close", "CloseService"}
)

// Every call of the kernel interface is in one of the lists.
func TestFaultsOfEveryCall(t *testing.T) {
	known := map[string]int{}
	for call := range costs {
		known[call]++
	}
	for _, call := range append(inDetails, neverFails...) {
		known[call]++
	}
	calls := reflect.TypeFor[Kernel]()
	for i := range calls.NumMethod() {
		if name := calls.Method(i).Name; known[name] != 1 {
			t.Errorf("%s stands in %d lists", name, known[name])
		}
	}
}

// faults are what calls fail with, and the reasons that are counted.
var faults = map[error]platform.Reason{fs.ErrPermission: platform.Denied, errors.ErrUnsupported: platform.Unsupported,
	os.ErrProcessDone: platform.Gone, errContent: platform.Unknown, os.ErrDeadlineExceeded: platform.Stuck}

// Every call may fail. It costs its own fields, for its own reason, and the pass goes
// on: policies disable counters, rights are missing, processes vanish.
func TestFaults(t *testing.T) {
	for call, sources := range costs {
		for err, why := range faults {
			w := newWorld(8)
			b := opened(t, w)
			w.fail[call] = err
			if call == "SystemEx" {
				why = platform.Unsupported // as the world has it where the call is missing
			}
			r := newRecord()
			reader, _ := b.Begin(context.Background())
			if e := reader.Read(all, r); (e != nil) != (call == "System") {
				t.Errorf("%s with %v: %v", call, err, e)
			}
			reader.Close()
			for _, source := range sources {
				if r.misses[source][why] == 0 {
					t.Errorf("%s with %v: source %d missed %v", call, err, source, r.misses[source])
				}
				delete(r.misses, source)
			}
			processes := 4
			if call == "System" {
				processes = 0
			}
			if host := r.only(t, platform.Host); len(host.fields) < 20 || len(r.of[platform.Process]) != processes {
				t.Errorf("%s with %v: %d fields of the host, %d processes", call, err, len(host.fields), len(r.of[platform.Process]))
			}
			for source := range r.misses {
				if source != fromDisks && source != fromDiskSize && source != fromImage {
					t.Errorf("%s with %v: source %d missed too: %v", call, err, source, r.misses[source])
				}
			}
		}
	}
}

// vague is a kernel whose answers have any length but the right one.
type vague struct {
	*world
	change func(int) int
}

func (k *vague) System(class int32, buf []byte) (int, error) {
	n, err := k.world.System(class, buf)
	if err == nil && class != classTimeOfDay && n <= len(buf) {
		n = k.change(n)
	}
	return n, err
}

// An answer that is cut off, or says of itself what cannot be, costs its own fields.
func TestVagueAnswers(t *testing.T) {
	for what, change := range map[string]func(int) int{
		"empty": func(int) int { return 0 }, "short": func(n int) int { return min(n, 7) },
		"huge": func(int) int { return 1 << 30 }, "negative": func(int) int { return -1 },
	} {
		b, err := New(Options{Kernel: &vague{newWorld(8), change}})
		if err != nil {
			t.Fatal(err)
		}
		r := newRecord()
		reader, _ := b.Begin(context.Background())
		if err := reader.Read(all, r); err == nil || r.misses[fromProcesses] == nil || r.misses[fromPerformance] == nil {
			t.Errorf("%s: %v, missed %v", what, err, r.misses)
		}
		reader.Close()
		if host := r.only(t, platform.Host); len(host.fields) < 20 {
			t.Errorf("%s: %d fields of the host", what, len(host.fields))
		}
		b.Close()
	}
}
