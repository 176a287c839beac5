package command

import (
	"log/slog"
	"time"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/health"
)

// checkHealth refuses an address that can't be listened on.
func checkHealth(address string) error {
	if address == "" {
		return nil
	}
	_, err := health.Address(address)
	return err
}

// answer begins to tell how the sidecar does, if that is wanted, and returns the step
// that ends it. It begins last and ends first, so that nobody is told of a state that
// is only half there.
func (f *flags) answer(s *sidecar, log *slog.Logger) ([]*exporter.Step, error) {
	if f.health == "" {
		return nil, nil
	}
	at, err := health.Address(f.health)
	if err != nil {
		return nil, err
	}
	server, err := health.Serve(at, &health.Subject{Health: s.health, Stats: s.exporter.Stats, Endpoint: s.exporter.Endpoint(),
		Idle: s.exporter.Idle(), Overdue: s.overdue(), Begun: time.Now()})
	if err != nil {
		return nil, err
	}
	if at.Addr().IsLoopback() {
		log.Info("health is told", "address", server.Addr)
	} else {
		log.Warn("health is told to other machines too, which are asked for no password", "address", server.Addr)
	}
	return []*exporter.Step{exporter.NewStep("health", server.Stop)}, nil
}

// overdue is when a pass has certainly been missed: three intervals, and the time
// that one may take.
func (s *sidecar) overdue() time.Duration {
	interval, timeout := s.exporter.Schedule()
	return 3*interval + timeout
}
