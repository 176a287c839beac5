package instrumentation

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// start names one series. The metric belongs to it: the CPU time of the own
// process and that of the host have the same attributes.
type start struct {
	metric string
	series attribute.Distinct
}

// starts remembers when the series of the last two collections began, so that an
// exporter may still ask for a point of the collection before.
type starts struct {
	mu     sync.Mutex
	recent map[start]time.Time
	older  map[start]time.Time
}

// begin opens a new collection and forgets the one before the last. Collections
// of several readers that share a pass count as one.
func (s *starts) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent == nil {
		s.recent = map[start]time.Time{}
		s.older = map[start]time.Time{}
	}
	s.recent, s.older = s.older, s.recent
	clear(s.recent)
}

func (s *starts) set(k start, at time.Time) {
	s.mu.Lock()
	s.recent[k] = at
	s.mu.Unlock()
}

func (s *starts) get(k start) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.recent[k]; ok {
		return at, true
	}
	at, ok := s.older[k]
	return at, ok
}
