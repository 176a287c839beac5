package windows

import (
	"time"

	"github.com/pidometer/pidometer/platform"
)

// errorSpecific is ERROR_SERVICE_SPECIFIC_ERROR: the service has a code of its own. And
// errorNeverStarted is ERROR_SERVICE_NEVER_STARTED: it has none (winerror.h).
const (
	errorSpecific     = 1066
	errorNeverStarted = 1077
)

// serviceChange is one change of a service. Before a new service is seen it was stopped.
type serviceChange struct {
	name, display string
	before        platform.ServiceState
	status
	at time.Time // when it was told; zero if a list tells it
}

// occurrence is the change as every backend tells it. What a service returned is known
// once it has stopped: its own code where it has one, else the error of Windows.
func (c *serviceChange) occurrence() *platform.Occurrence {
	o := &platform.Occurrence{Kind: platform.ServiceChanged, At: c.at, Key: platform.Key{ID: c.pid, Name: c.name},
		State: []byte(c.state.String()), Title: []byte(c.display)}
	if c.before != platform.ServiceIsUnknown {
		o.Before = []byte(c.before.String())
	}
	if c.state == platform.ServiceIsStopped && c.exit != errorNeverStarted {
		o.Exit = platform.Exit{Known: true, Code: int64(c.exit)}
		if c.exit == errorSpecific {
			o.Exit.Code = int64(c.specific)
		}
	}
	return o
}
