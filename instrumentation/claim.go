package instrumentation

import (
	"errors"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// key names a MeterProvider that reports already. A provider of a type that can't
// be compared has none, and is not guarded.
type key struct {
	provider metric.MeterProvider
	global   bool // it was the global one when Start took it
}

// claims is the one thing that this package keeps beyond a Registration: without
// it a second Start on the same provider would double every sum.
var claims struct {
	sync.Mutex
	held map[key]bool
}

var errTwice = errors.New("pidometer already reports to this MeterProvider, and the SDK would add both up: Unregister the first, or pass it on")

// claim takes a provider, nil for the global one. Before the program has set a
// global provider the API hands out a delegate, which later forwards to the one
// that is set: the two are the same provider under different names.
func claim(p metric.MeterProvider) (key, error) {
	current := otel.GetMeterProvider()
	k := key{provider: p}
	if p == nil {
		k = key{current, true}
	}
	if !reflect.TypeOf(k.provider).Comparable() {
		return key{}, nil
	}
	claims.Lock()
	defer claims.Unlock()
	for held := range claims.held {
		if held.provider == k.provider || held.global && same(k.provider, current) {
			return key{}, errTwice
		}
	}
	if claims.held == nil {
		claims.held = map[key]bool{}
	}
	claims.held[k] = true
	return k, nil
}

// same compares two providers, one of which may not be comparable.
func same(a, b metric.MeterProvider) bool {
	return reflect.TypeOf(b).Comparable() && a == b
}

func release(k key) {
	claims.Lock()
	defer claims.Unlock()
	delete(claims.held, k)
}
