package semconv_test

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// A program shows what it read: the rows choose the fields, and spell them.
func Example() {
	metrics, err := semconv.Select([]string{"-*", "process.paging.faults"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sshd := semconv.Subject{
		Entity:     platform.Process,
		Key:        platform.Key{ID: 42, Start: 1007},
		Created:    time.Date(2026, 11, 22, 22, 50, 37, 120e6, time.UTC),
		Executable: "sshd",
	}
	for _, m := range metrics {
		fmt.Println(m.Name, m.Kind, m.Unit)
		for _, p := range m.Points {
			set := m.Attributes(sshd, p)
			fmt.Printf("%s is\n", p.Field)
			for _, kv := range set.ToSlice() {
				fmt.Printf("  %s=%s\n", kv.Key, kv.Value.String())
			}
		}
	}
	// Output:
	// process.paging.faults counter {fault}
	// process.faults.major is
	//   process.creation.time=2026-11-22T22:50:37.120Z
	//   process.executable.name=sshd
	//   process.pid=42
	//   system.paging.fault.type=major
	// process.faults.minor is
	//   process.creation.time=2026-11-22T22:50:37.120Z
	//   process.executable.name=sshd
	//   process.pid=42
	//   system.paging.fault.type=minor
}

// The patterns are those of the command line.
func ExampleSelect() {
	metrics, err := semconv.Select([]string{"-*", "system.cpu.*", "-*.count", "-*load*"})
	for _, m := range metrics {
		fmt.Println(m.Name)
	}
	fmt.Println(err)
	_, err = semconv.Select([]string{"system.cpu.tims"})
	fmt.Println(err)
	// Output:
	// system.cpu.frequency
	// system.cpu.interrupts
	// system.cpu.soft_interrupts
	// system.cpu.time
	// system.cpu.utilization
	// <nil>
	// no metric matches "system.cpu.tims": did you mean "system.cpu.time"?
}

// The texts of a machine become the attributes of a Resource.
func ExampleHost() {
	texts := map[platform.Text]string{platform.HostName: "web-1", platform.OSType: "linux"}
	set := attribute.NewSet(semconv.Host(func(t platform.Text) (string, bool) {
		v, ok := texts[t]
		return v, ok
	})...)
	fmt.Println(set.Encoded(attribute.DefaultEncoder()))
	// Output:
	// host.name=web-1,os.type=linux
}
