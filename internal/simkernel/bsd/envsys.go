package bsd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Envsys answers ENVSYS_GETDICTIONARY of envsys(4), with the NUL behind it.
func (k *Kernel) Envsys(buf []byte) (int, error) {
	if err := k.Call("envsys"); err != nil {
		return 0, err
	}
	if k.open {
		return 0, errors.ErrUnsupported
	}
	return k.Write(append([]byte(Plist(k.dictionary())), 0), buf, nil)
}

// Plist writes a value as libprop does: dictionaries by their keys, numbers that are signed in
// decimal and others in hexadecimal (prop_object.c, prop_number.c).
func Plist(value any) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" " +
		"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n")
	write(&b, value, "")
	b.WriteString("</plist>\n")
	return b.String()
}

var spelled = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;")

func write(b *strings.Builder, value any, indent string) {
	switch v := value.(type) {
	case map[string]any:
		b.WriteString(indent + "<dict>\n")
		var keys []string
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			b.WriteString(indent + "\t<key>" + spelled.Replace(key) + "</key>\n")
			write(b, v[key], indent+"\t")
		}
		b.WriteString(indent + "</dict>\n")
	case []any:
		b.WriteString(indent + "<array>\n")
		for _, e := range v {
			write(b, e, indent+"\t")
		}
		b.WriteString(indent + "</array>\n")
	case string:
		b.WriteString(indent + "<string>" + spelled.Replace(v) + "</string>\n")
	case uint64:
		fmt.Fprintf(b, "%s<integer>%#x</integer>\n", indent, v)
	case int64:
		fmt.Fprintf(b, "%s<integer>%d</integer>\n", indent, v)
	case bool:
		fmt.Fprintf(b, "%s<%v/>\n", indent, v)
	}
}

// dictionary is what the sensors of a machine are for envsys(4): a supply, a battery, a zone
// of the first CPU, a sensor of each, and a chip that watches a fan and a voltage.
func (k *Kernel) dictionary() map[string]any {
	s := k.Sensors()
	all := map[string]any{
		"acpiacad0": envsys("ac-adapter", gauge("connected", "Indicator", truth(s.Supply))),
		"acpibat0":  envsys("battery", batterySensors(s.Battery)...),
		"acpitz0":   envsys("other", zone(s)),
		"lm0":       envsys("other", fan(s), gauge("+12 <V>", "Voltage DC", s.Volts*1000), gauge("heat", "Watts", 7_000_000), drive()),
	}
	for i, t := range s.Temperatures {
		g := gauge(fmt.Sprintf("cpu%d temperature", i), "Temperature", kelvin(t))
		g["monitoring-state-critical"] = true
		switch {
		case i == s.Broken:
			g["state"] = "invalid"
		case t > s.Hot:
			g["state"] = "critical"
		}
		all[fmt.Sprintf("coretemp%d", i)] = envsys("other", g)
	}
	return all
}

// gauge is a sensor whose value is valid.
func gauge(name, kind string, value int64) map[string]any {
	return map[string]any{"description": name, "type": kind, "cur-value": value, "state": "valid", "monitoring-supported": false}
}

// envsys is a device: its sensors with their numbers, and what it is.
func envsys(class string, sensors ...map[string]any) (device []any) {
	for i, s := range sensors {
		s["index"] = fmt.Sprintf("sensor%d", i)
		device = append(device, s)
	}
	return append(device, map[string]any{"device-properties": map[string]any{"device-class": class, "refresh-timeout": uint64(30)}})
}

func kelvin(milli int64) int64 { return milli*1000 + 273_150_000 }

func truth(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// zone is the first CPU as acpitz(4) has it, whose limits are the firmware's.
func zone(s simkernel.Sensors) map[string]any {
	t := s.Temperatures[0]
	g := gauge("temperature", "Temperature", kelvin(t))
	g["warning-max"], g["critical-max"], g["monitoring-state-hw-range-limit"] = kelvin(s.Warm), kelvin(s.Hot), true
	if t > s.Hot {
		g["state"] = "critical-over"
	}
	return g
}

func fan(s simkernel.Sensors) map[string]any {
	g := gauge("FAN", "Fan", int64(s.Fan))
	g["warning-min"], g["max-value"], g["rpms"] = int64(s.Slow), int64(5000), uint64(0)
	if s.Fan < s.Slow {
		g["state"] = "warning-under"
	}
	return g
}

func drive() map[string]any {
	g := gauge("raid0", "Drive", 4)
	g["drive-state"] = "online"
	return g
}

// batterySensors are those of acpibat(4), which are all but the first invalid without one.
func batterySensors(b simkernel.Battery) (all []map[string]any) {
	micro := func(milli uint64) int64 { return int64(milli) * 1000 }
	charge := gauge("charge", "Watt hour", micro(b.Left))
	charge["max-value"], charge["want-percentage"] = micro(b.Full), true
	charge["warning-capacity"], charge["critical-capacity"] = micro(b.Low), int64(200_000)
	if b.Left < b.Low {
		charge["state"] = "warning-under"
	}
	all = []map[string]any{gauge("present", "Indicator", truth(!b.Absent)), gauge("design voltage", "Voltage DC", 10_800_000),
		gauge("voltage", "Voltage DC", 12_399_000), gauge("design cap", "Watt hour", micro(b.Design)), gauge("last full cap", "Watt hour", micro(b.Full)),
		charge, gauge("charge rate", "Watts", micro(b.Flow)), gauge("discharge rate", "Watts", micro(b.Flow)),
		gauge("charging", "Battery charge", truth(b.Charging)), gauge("charge state", "Battery capacity", 1)}
	all[9]["battery-capacity"] = "NORMAL"
	for i, g := range all {
		if i > 0 && b.Absent || i == 6 && !b.Charging || i == 7 && !b.Discharging {
			g["state"] = "invalid"
		}
	}
	return all
}
