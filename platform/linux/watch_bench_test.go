package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// What a line of the log costs that tells of no kill, beside the call that reads it.
func BenchmarkKmsgLine(b *testing.B) {
	record := []byte("6,339,5140900,-;audit: type=1400 audit(1700000000.1:7): apparmor=\"STATUS\" operation=\"profile_load\"\n")
	k := &kmsg{}
	b.ReportAllocs()
	for b.Loop() {
		if line, ok := decodeKmsg(record); ok {
			k.line(line, nil)
		}
	}
}

// What a change of a service costs: two signals.
func BenchmarkServiceChange(b *testing.B) {
	f := newFakeBus("a.service active").connect()
	var talk []byte
	for _, active := range []string{"inactive", "active"} {
		for _, m := range []wire{process("a_2eservice", serviceProcesses{5, 5, 0, 0, 0}), state("a_2eservice", active, 1)} {
			m.from = f.owner
			talk = append(talk, little(m)...)
		}
	}
	told := 0
	b.ReportAllocs()
	for b.Loop() {
		n := copy(f.services.client.room(), talk)
		if err := f.services.take(n, func(*platform.Occurrence) { told++ }); err != nil {
			b.Fatal(err)
		}
	}
	if told == 0 {
		b.Fatal("nothing is told")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(told), "ns/change")
}
