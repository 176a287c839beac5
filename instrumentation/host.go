package instrumentation

import (
	"context"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

// hostTexts is everything that identifies or describes the machine.
var hostTexts = platform.Want{Texts: platform.Texts(platform.HostID, platform.HostName, platform.HostArch,
	platform.OSType, platform.OSName, platform.OSVersion, platform.OSDescription, platform.OSBuild)}

// HostAttributes returns what identifies and describes this machine, for the
// Resource of a MeterProvider: host.id, host.name, host.arch and os.*. What can't
// be read is left out. No command is run and no privileged source is read. Of the
// options only [WithRoot] matters.
func HostAttributes(ctx context.Context, options ...Option) ([]attribute.KeyValue, error) {
	backend, err := native.New(newConfig(options).platform)
	if err != nil {
		return nil, err
	}
	defer backend.Close()
	known, err := readHost(ctx, backend)
	if err != nil {
		return nil, err
	}
	return semconv.Host(func(t platform.Text) (string, bool) {
		s, ok := known[t]
		return s, ok
	}), nil
}

// readHost reads what identifies and describes the machine.
func readHost(ctx context.Context, backend platform.Backend) (texts, error) {
	reader, err := backend.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	sources, _ := platform.Choose(backend.Sources(), hostTexts)
	known := texts{}
	if err := reader.Read(sources, known); err != nil {
		return nil, err
	}
	return known, nil
}

// texts is a sink that keeps the texts of the host.
type texts map[platform.Text]string

func (k texts) Sample(s *platform.Sample) bool {
	for t := range platform.Text(platform.TextCount) {
		if b, ok := s.Text(t); ok && t.Entity() == platform.Host {
			k[t] = text.Escape(b)
		}
	}
	return true
}

func (texts) Miss(int, platform.Reason) {}
