package platformtest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// printer is a sink that prints what it is given.
type printer struct{}

func (printer) Sample(s *platform.Sample) bool {
	if rss, ok := s.Get(platform.ProcessMemoryRSS); ok {
		fmt.Println(s.Key.ID, rss)
	}
	return true
}

func (printer) Miss(int, platform.Reason) {}

// A kernel in memory, for tests of what reads one.
func ExampleBulk() {
	var kernel platformtest.Bulk
	kernel.Start(platformtest.Task{PID: 42, Start: 7, Fields: map[platform.Field]uint64{platform.ProcessMemoryRSS: 4096}})
	reader, err := kernel.Begin(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	sources, _ := platform.Choose(kernel.Sources(), platform.Want{Fields: platform.Fields(platform.ProcessMemoryRSS)})
	if err := reader.Read(sources, printer{}); err != nil {
		log.Fatal(err)
	}
	// Output: 42 4096
}
