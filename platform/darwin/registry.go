package darwin

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// properties looks up the properties of every service of a class.
func (m *machine) properties(class string, keys []string) (services []map[string]any, err error) {
	answer, err := m.kernel.Registry(class, keys)
	return servicesOf(answer, keys), err
}

// devices looks up those of every device of a name or type.
func (m *machine) devices(name string, keys []string) (devices []map[string]any, err error) {
	answer, err := m.kernel.Devices(name, keys)
	return servicesOf(answer, keys), err
}

// servicesOf reads the property lists of each. What is none is absent.
func servicesOf(answer [][][]byte, keys []string) (services []map[string]any) {
	for _, values := range answer {
		s := map[string]any{}
		for i, b := range values[:min(len(values), len(keys))] {
			if v, ok := decodePlist(b); ok {
				s[keys[i]] = v
			}
		}
		services = append(services, s)
	}
	return services
}

// identity is the UUID of the machine.
func (m *machine) identity() sysctl.HostSource {
	const key = "IOPlatformUUID"
	return sysctl.HostSource{Source: sysctl.Words("IOPlatformExpertDevice "+key, 20, platform.HostID), Host: func(p *sysctl.Pass) error {
		services, err := m.properties("IOPlatformExpertDevice", []string{key})
		for _, s := range services {
			id, _ := s[key].(string)
			p.SetText(platform.HostID, id)
		}
		return err
	}}
}

// Keys of a disk's driver (storage/IOBlockStorageDriver.h), and of the medium that is its
// client (IOBSD.h). Times are nanoseconds.
const (
	diskClass = "IOBlockStorageDriver"
	diskName  = "BSD Name"
	diskStats = "Statistics"
)

var diskKeys = [...]struct {
	key   string
	field platform.Field
}{
	{"Operations (Read)", platform.DiskReads}, {"Operations (Write)", platform.DiskWrites},
	{"Bytes (Read)", platform.DiskReadBytes}, {"Bytes (Write)", platform.DiskWriteBytes},
	{"Total Time (Read)", platform.DiskReadTime}, {"Total Time (Write)", platform.DiskWriteTime},
}

// disks are the drivers of block storage in IOKit's registry. One without a medium, a
// reader of cards that is empty, has no name and is left out.
func (m *machine) disks() sysctl.HostSource {
	s := platform.Source{Name: diskClass, Entity: platform.Disk, Cost: 100}
	for _, k := range diskKeys {
		s.Gives = append(s.Gives, platform.Given{Field: k.field})
	}
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		services, err := m.properties(diskClass, []string{diskName, diskStats})
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, s := range services {
			name, _ := s[diskName].(string)
			stats, ok := s[diskStats].(map[string]any)
			if name == "" || !ok || seen[name] {
				continue
			}
			seen[name] = true
			p.Sample().Reset(platform.Disk, platform.Key{Name: name})
			for _, k := range diskKeys {
				if v, ok := stats[k.key].(uint64); ok {
					p.Sample().Set(k.field, v)
				}
			}
			if err := p.Hand(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Keys of a battery, as AppleSmartBattery has them on machines of both kinds. Capacities are
// in one unit, which is percent on Apple's own processors. Times are minutes, and 65535 as
// long as nobody knows. The temperature is in hundredths of a degree.
const batteryClass = "AppleSmartBattery"

var batteryKeys = []string{"CurrentCapacity", "MaxCapacity", "IsCharging", "FullyCharged", "ExternalConnected", "TimeRemaining", "Temperature", "BatteryInstalled"}

const (
	fullCharge = 1_000_000 // in millionths
	noTime     = 65535
	minute     = 60e9
)

var hardwareTexts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent}

// battery is the battery, and the supply beside it.
func (m *machine) battery() sysctl.HostSource {
	s := sysctl.Level(batteryClass, platform.Hardware, 20, platform.HardwareCharge, platform.HardwareTimeDischarging, platform.HardwareTimeCharging,
		platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull,
		platform.HardwareOnline, platform.HardwareTemperature)
	s.Texts = hardwareTexts
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		services, err := m.properties(batteryClass, batteryKeys)
		if err != nil {
			return err
		}
		for _, b := range services {
			if installed, ok := b["BatteryInstalled"].(bool); ok && !installed {
				continue
			}
			if err := sendBattery(p, b); err != nil {
				return err
			}
			break // no Mac has two
		}
		return nil
	}}
}

func reset(p *sysctl.Pass, name, kind string) {
	p.Sample().Reset(platform.Hardware, platform.Key{Name: name})
	p.SetText(platform.HardwareName, name)
	p.SetText(platform.HardwareType, kind)
	p.SetText(platform.HardwareParent, batteryClass)
}

func sendBattery(p *sysctl.Pass, b map[string]any) error {
	connected, known := b["ExternalConnected"].(bool)
	if known {
		reset(p, "supply", "power_supply")
		p.Sample().Set(platform.HardwareOnline, one(connected))
		if err := p.Hand(); err != nil {
			return err
		}
	}
	reset(p, "battery", "battery")
	s := p.Sample()
	now, ok := b["CurrentCapacity"].(uint64)
	most, ok2 := b["MaxCapacity"].(uint64)
	if ok && ok2 && most > 0 && now <= most && most < 1<<32 {
		s.Set(platform.HardwareCharge, now*fullCharge/most)
	}
	if t, ok := b["Temperature"].(uint64); ok && t < 1<<16 {
		s.SetSigned(platform.HardwareTemperature, int64(t)*10)
	}
	charging, known2 := b["IsCharging"].(bool)
	full, _ := b["FullyCharged"].(bool)
	if known && known2 {
		setCharging(s, connected, charging, full)
	}
	if t, ok := b["TimeRemaining"].(uint64); ok && t < noTime {
		switch {
		case charging:
			s.Set(platform.HardwareTimeCharging, t*minute)
		case known && !connected:
			s.Set(platform.HardwareTimeDischarging, t*minute)
		}
	}
	return p.Hand()
}

// setCharging sets the one of the four that holds.
func setCharging(s *platform.Sample, connected, charging, full bool) {
	s.Set(platform.HardwareFull, one(full && connected && !charging))
	s.Set(platform.HardwareCharging, one(charging))
	s.Set(platform.HardwareDischarging, one(!connected && !charging))
	s.Set(platform.HardwareNotCharging, one(connected && !charging && !full))
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}
