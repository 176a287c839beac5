package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/platform"
)

// What the files of a zone say (Documentation/driver-api/thermal/sysfs-api.rst).
// Zones have up to twelve trip points (THERMAL_MAX_TRIPS, while there was one).
const (
	zoneTemperature = iota
	zoneType
	zoneTripType
	mostTrips     = 12
	zoneTripValue = zoneTripType + mostTrips
)

var thermalClass = classKind{
	source: fromHwmon, folder: "sys/class/thermal/",
	names:  func(name []byte) bool { return bytes.HasPrefix(name, []byte("thermal_zone")) },
	layOut: layOutZone, fill: fillZone,
}

// layOutZone finds the files of a zone.
func layOutZone(_ *hostPass, d *sysDevice) error {
	c := d.add("", channelTemperature)
	decodeEntries(d.listing, func(name []byte) {
		if trip, value, ok := decodeTrip(name); ok && value {
			c.take(d.folder, string(name), zoneTripValue+trip, false)
		} else if ok {
			c.take(d.folder, string(name), zoneTripType+trip, true)
		}
	})
	c.take(d.folder, "temp", zoneTemperature, false)
	c.take(d.folder, "type", zoneType, true)
	return nil
}

// decodeTrip takes the name of a file of a trip point apart: trip_point_2_temp says
// where the third one is, trip_point_2_type what it is for.
func decodeTrip(name []byte) (trip int, value, ok bool) {
	rest, ok := bytes.CutPrefix(name, []byte("trip_point_"))
	number, what, _ := bytes.Cut(rest, []byte("_"))
	n, isNumber := decodeInteger(number)
	value = string(what) == "temp"
	return int(n), value, ok && isNumber && n >= 0 && n < mostTrips && (value || string(what) == "type")
}

// fillZone sets the temperature of a zone. Of its trip points two are limits: hot,
// at which the system is told, and critical, at which the kernel turns it off. The
// others start fans and slow CPUs down.
func fillZone(p *hostPass, c *part) {
	s := &p.host.sample
	p.describe(platform.HardwareType, typeTemperature)
	name := c.word(zoneType)
	if len(name) == 0 {
		name = c.device.title
	}
	p.describe(platform.HardwareName, name)
	v, ok := c.temperature(zoneTemperature)
	if !ok {
		return
	}
	s.SetSigned(platform.HardwareTemperature, v)
	c.setTrip(s, "hot", platform.HardwareTemperatureHighDegraded)
	c.setTrip(s, "critical", platform.HardwareTemperatureHighCritical)
}

// setTrip sets the lowest trip point of a type that is set.
func (c *part) setTrip(s *platform.Sample, kind string, f platform.Field) {
	for trip := range mostTrips {
		v, ok := c.temperature(zoneTripValue + trip)
		if !ok || v <= 0 || string(c.word(zoneTripType+trip)) != kind {
			continue
		}
		if lowest, known := s.Get(f); !known || v < int64(lowest) {
			s.SetSigned(f, v)
		}
	}
}
