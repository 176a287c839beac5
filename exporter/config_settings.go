package exporter

import (
	"cmp"
	"strconv"
	"strings"
)

// Setting is one value that [New] uses.
type Setting struct {
	// Variable is the environment variable that sets it, with the signal in its
	// name if it has such a form: OTEL_EXPORTER_OTLP_METRICS_TIMEOUT.
	Variable string
	// Value is spelled as the variable would spell it. "" is none.
	Value string
	// From is the variable that was read, which may be the general one, or
	// "option", or "default".
	From string
}

const (
	fromOption  = "option"
	fromDefault = "default"
)

// Settings returns what [New] makes of the same options and of the environment:
// a value for each of [Variables] in that order, and where a variable has forms for
// the signals one for each. Values of headers are secrets. The error is that of New.
func Settings(opts ...Option) ([]Setting, error) {
	given := newConfig(opts)
	c, err := given.resolve()
	if err != nil {
		return nil, err
	}
	var errs [len(payloads)]error
	for what, e := range [...]endpoint{metricsPayload: c.endpoint, eventsPayload: c.events} {
		if c.kinds[what] == kindOTLP {
			_, errs[what] = readVariables(e)
		}
	}
	if err := cmp.Or(errs[:]...); err != nil {
		return nil, err
	}
	var all []Setting
	for _, v := range environment {
		all = append(all, given.setting(c, v, metricsPayload))
		if v.Signals {
			all = append(all, given.setting(c, v, eventsPayload))
		}
	}
	return all, nil
}

// setting is what options, the environment and the defaults make of one variable.
func (given config) setting(c config, v Variable, what payload) Setting {
	s := v.setting(what)
	e, url := c.endpoint, c.url
	if what == eventsPayload {
		e = c.events
	}
	switch v.Name {
	case "OTEL_SDK_DISABLED":
		s.Value = strconv.FormatBool(disabled())
	case "OTEL_METRICS_EXPORTER":
		s.Value, s.From = kindOf(metricsPayload, url)
	case "OTEL_LOGS_EXPORTER":
		s.Value, s.From = kindOf(eventsPayload, url)
	case "OTEL_METRIC_EXPORT_INTERVAL":
		s.option(given.interval != 0, millis(c.interval))
	case "OTEL_METRIC_EXPORT_TIMEOUT":
		s.option(given.timeout != 0, millis(c.timeout))
	case "OTEL_BLRP_SCHEDULE_DELAY":
		s.option(given.pace.delay != 0, millis(c.pace.delay))
	case "OTEL_BLRP_MAX_QUEUE_SIZE":
		s.option(given.queue.events != 0, strconv.Itoa(c.queue.events))
	case "OTEL_EXPORTER_OTLP_ENDPOINT":
		s.option(url != "", e.url())
	case "OTEL_EXPORTER_OTLP_PROTOCOL":
		s.option(strings.HasPrefix(strings.ToLower(strings.TrimSpace(url)), "grpc"), string(e.protocol))
	}
	return s
}

// setting is what the environment or the default says.
func (v Variable) setting(what payload) Setting {
	s := Setting{Variable: v.of(what), Value: v.Default, From: fromDefault}
	if value, name := v.find(what); name != "" {
		s.Value, s.From = value, name
	}
	return s
}

// option takes the value that is used, and notes whether an option decided it.
func (s *Setting) option(decided bool, value string) {
	s.Value = value
	if decided {
		s.From = fromOption
	}
}
