package native_test

import (
	"context"
	"fmt"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

// show prints what it is given.
type show struct{}

func (show) Sample(s *platform.Sample) bool {
	name, _ := s.Text(platform.ProcessCommand)
	rss, ok := s.Get(platform.ProcessMemoryRSS)
	fmt.Println(string(name), ok && rss > 0)
	return true
}

func (show) Miss(int, platform.Reason) {}

// The memory and the name of the calling process, read once.
func Example() {
	backend, err := native.New(native.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer backend.Close()
	set, _ := platform.Choose(backend.Sources(), platform.Want{
		Fields: platform.Fields(platform.ProcessMemoryRSS),
		Texts:  platform.Texts(platform.ProcessCommand),
	})
	reader, err := backend.Begin(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reader.Close()
	if err := reader.Process(platform.Self, set, show{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// native.test true
}
