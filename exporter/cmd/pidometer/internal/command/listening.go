package command

import (
	"log/slog"

	"github.com/pidometer/pidometer/instrumentation"
)

// listening tells once where events are heard of, and why not elsewhere: what is
// refused is for somebody to allow, what this system lacks is not.
func listening(log *slog.Logger, sources []instrumentation.EventSource) {
	for _, s := range sources {
		switch {
		case s.Err != nil:
			log.Info("events are not heard of there", "source", s.Name, "reason", s.Err)
		case s.Spared:
			log.Debug("events are heard of better elsewhere", "source", s.Name)
		default:
			log.Debug("events are heard of", "source", s.Name)
		}
	}
}
