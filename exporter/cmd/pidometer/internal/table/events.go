package table

import (
	"fmt"
	"io"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/pidometer/pidometer/semconv"
)

// eventClock is the time of an event: the day is on the terminal's own clock.
const eventClock = "15:04:05.000"

// Event writes an event as one line: when, what, whom, and all else that is known.
func Event(w io.Writer, r *sdklog.Record) error {
	attrs := map[attribute.Key]attribute.Value{}
	var order []attribute.Key
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		attrs[kv.Key] = kv.Value
		order = append(order, kv.Key)
		return true
	})
	line := fmt.Sprintf("%s  %-14s %7s  %-16s", r.Timestamp().Local().Format(eventClock), r.EventName(),
		text(attrs[semconv.ProcessPID]), text(attrs[semconv.ProcessExecutable]))
	for _, k := range order {
		if show, ok := shown[k]; !ok {
			line += "  " + lastPart(string(k)) + "=" + text(attrs[k])
		} else if show != nil {
			line += "  " + show(attrs[k])
		}
	}
	_, err := fmt.Fprintln(w, Printable(strings.TrimRight(line, " ")))
	return err
}

// shown is how attributes are written that are no plain name=value; nil is not at all:
// they stand elsewhere in the line, or say what another one says.
var shown = map[attribute.Key]func(attribute.Value) string{
	semconv.ProcessPID:        nil,
	semconv.ProcessExecutable: nil,
	semconv.ProcessCreation:   nil,
	semconv.ProcessExitTime:   nil,
	semconv.ErrorType:         nil,
	semconv.EntityType:        nil,
	semconv.ProcessExitSignal: func(v attribute.Value) string { return v.AsString() },
	semconv.ProcessExitUser:   func(v attribute.Value) string { return "user=" + decimal(v.AsFloat64(), 3) + "s" },
	semconv.ProcessExitSystem: func(v attribute.Value) string { return "system=" + decimal(v.AsFloat64(), 3) + "s" },
	semconv.ProcessExitPeak:   func(v attribute.Value) string { return "peak=" + Bytes(float64(v.AsInt64())) },
	semconv.ProcessMemoryUsage: func(v attribute.Value) string {
		return "memory=" + Bytes(float64(v.AsInt64()))
	},
}

// text is a value as a person reads it; nothing for one that is not there.
func text(v attribute.Value) string {
	if v.Type() == attribute.EMPTY {
		return ""
	}
	if v.Type() == attribute.MAP {
		var parts []string
		for _, kv := range v.AsMap() {
			parts = append(parts, string(kv.Key)+"="+text(kv.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	return v.String()
}

// lastPart is an attribute's name without its namespace, but for what is the same in
// several.
func lastPart(key string) string {
	key = strings.TrimPrefix(key, "process.")
	key = strings.TrimPrefix(key, "pidometer.")
	return strings.TrimPrefix(key, "exit.")
}
