// Command library asks the kernel about its own process, without OpenTelemetry.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

func main() {
	backend, err := native.New(native.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()

	// The fewest kernel files that tell these.
	sources, _ := platform.Choose(backend.Sources(), platform.Want{
		Fields: platform.Fields(platform.ProcessMemoryRSS, platform.ProcessCPUUser, platform.ProcessCPUSystem),
		Texts:  platform.Texts(platform.ProcessCommand),
	})
	reader, err := backend.Begin(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Process(platform.Self, sources, show{backend.Boot()}); err != nil {
		log.Fatal(err)
	}
}

// show prints the process that it is given.
type show struct{ boot platform.Boot }

func (w show) Sample(s *platform.Sample) bool {
	name, _ := s.Text(platform.ProcessCommand)
	fmt.Printf("%s, PID %d, since %v\n", name, s.Key.ID, w.boot.Created(s.Key.Start).Format(time.DateTime))
	if rss, ok := s.Get(platform.ProcessMemoryRSS); ok {
		fmt.Printf("rss %d bytes\n", rss)
	}
	user, ok1 := s.Get(platform.ProcessCPUUser)
	system, ok2 := s.Get(platform.ProcessCPUSystem)
	if ok1 && ok2 {
		fmt.Printf("cpu %v\n", time.Duration(user+system))
	}
	return true
}

// Miss is told what could not be read, and why.
func (show) Miss(source int, why platform.Reason) { log.Printf("source %d: %v", source, why) }
