package semconv

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes of hardware.
const (
	BatteryCapacity  attribute.Key = "hw.battery.capacity"
	BatteryChemistry attribute.Key = "hw.battery.chemistry"
	BatteryState     attribute.Key = "hw.battery.state"
	DiskType         attribute.Key = "hw.physical_disk.type"
	ErrorType        attribute.Key = "error.type"
	HardwareFirmware attribute.Key = "hw.firmware_version"
	HardwareID       attribute.Key = "hw.id"
	HardwareLimit    attribute.Key = "hw.limit_type"
	HardwareLocation attribute.Key = "hw.sensor_location"
	HardwareModel    attribute.Key = "hw.model"
	HardwareName     attribute.Key = "hw.name"
	HardwareParent   attribute.Key = "hw.parent"
	HardwareSerial   attribute.Key = "hw.serial_number"
	HardwareState    attribute.Key = "hw.state"
	HardwareType     attribute.Key = "hw.type"
	HardwareVendor   attribute.Key = "hw.vendor"
	PhysicalAddress  attribute.Key = "hw.network.physical_address"
)

// component appends the identity of a piece of hardware. CPUs, disks and interfaces
// go by the names that the kernel gives them.
func (m *Metric) component(id []attribute.KeyValue, s *Subject) []attribute.KeyValue {
	name := s.Key.Name
	if s.Entity == platform.CPU {
		name = "cpu" + strconv.FormatUint(s.Key.ID, 10)
	}
	id = append(id, HardwareID.String(name))
	if s.Entity != platform.Hardware {
		id = append(id, HardwareName.String(name))
	}
	for _, l := range m.Labels {
		id = known(id, l.Key, s.Texts[l.Text])
	}
	return id
}

// The labels that several metrics of hardware have.
var (
	sensorLabels = []Label{
		{platform.HardwareName, HardwareName}, {platform.HardwareParent, HardwareParent}, {platform.HardwareLocation, HardwareLocation}}
	typeLabels = []Label{
		{platform.HardwareName, HardwareName}, {platform.HardwareParent, HardwareParent}, {platform.HardwareType, HardwareType}}
	memoryLabels  = []Label{{platform.HardwareName, HardwareName}, {platform.HardwareType, HardwareType}}
	batteryLabels = []Label{
		{platform.HardwareName, HardwareName}, {platform.HardwareModel, HardwareModel}, {platform.HardwareVendor, HardwareVendor},
		{platform.HardwareCapacity, BatteryCapacity}, {platform.HardwareChemistry, BatteryChemistry}}
	cpuLabels  = []Label{{platform.CPUModel, HardwareModel}, {platform.CPUVendor, HardwareVendor}}
	linkLabels = []Label{{platform.NetworkAddress, PhysicalAddress}}
	diskLabels = []Label{
		{platform.DiskModel, HardwareModel}, {platform.DiskVendor, HardwareVendor}, {platform.DiskSerial, HardwareSerial},
		{platform.DiskFirmware, HardwareFirmware}, {platform.DiskKind, DiskType}}
)

// What a Div holds for fields of hardware.
const (
	millidegrees = 1000
	millivolts   = 1000
	microwatts   = 1e6
	microjoules  = 1e6
)

// hardware are the metrics of hardware that the conventions have. All of them are off
// by default: drivers may take long to answer.
var hardware = [...]Metric{
	{
		Name: "hw.battery.charge", Unit: "1", Kind: Gauge, Div: millionths,
		Brief:  "Remaining fraction of battery charge.",
		Entity: platform.Hardware, Device: HardwareID, Labels: batteryLabels,
		Points: []Point{{Field: platform.HardwareCharge}},
		Note:   "This and all metrics of hardware are off by default, since a driver may take long to ask what it drives. Each device is asked on its own, within a budget; one that does not answer is stuck and costs nothing more. The charge is a share of what the battery holds when full, which is less than when it was new. Batteries of other devices, such as a mouse, are shown among all devices.",
	},
	{
		Name: "hw.battery.charge.limit", Unit: "1", Kind: Gauge, Div: millionths,
		Brief:  "Lower limit of battery charge fraction to ensure proper operation.",
		Entity: platform.Hardware, Device: HardwareID, Labels: batteryLabels,
		Points: []Point{{platform.HardwareChargeLowDegraded, attrs{HardwareLimit.String("low.degraded")}}},
		Note:   "The charge at which the battery warns.",
	},
	{
		Name: "hw.battery.time_left", Unit: "s", Kind: Gauge, Div: seconds,
		Brief:  "Time left before battery is completely charged or discharged.",
		Entity: platform.Hardware, Device: HardwareID, Labels: append([]Label{{platform.HardwareState, HardwareState}}, batteryLabels...),
		Points: []Point{
			{platform.HardwareTimeCharging, attrs{BatteryState.String("charging")}},
			{platform.HardwareTimeDischarging, attrs{BatteryState.String("discharging")}},
		},
		Note: "By what flows now. There is no point while nothing flows, since then the time is unknown or unlimited. hw.state is ok unless the battery says otherwise.",
	},
	{
		Name: "hw.cpu.speed", Unit: "Hz", Kind: Gauge,
		Brief:  "CPU current frequency.",
		Entity: platform.CPU, Device: HardwareID, Labels: cpuLabels,
		Points: []Point{{Field: platform.CPUFrequencyLive}},
		Note:   "Live, as measured by the CPU or set by the governor. Where the machine knows no more than the nominal frequency, as most virtual ones, there is no point: see hw.cpu.speed.nominal.",
	},
	{
		Name: "hw.cpu.speed.limit", Unit: "Hz", Kind: Gauge,
		Brief:  "CPU maximum frequency.",
		Entity: platform.CPU, Device: HardwareID, Labels: cpuLabels,
		Points: []Point{
			{platform.CPUFrequencyMax, attrs{HardwareLimit.String("max")}},
			{platform.CPUFrequencyMin, attrs{HardwareLimit.String("min")}},
			{platform.CPUFrequencyPolicyMax, attrs{HardwareLimit.String("policy.max")}},
			{platform.CPUFrequencyPolicyMin, attrs{HardwareLimit.String("policy.min")}},
		},
		Note: "max and min are what the hardware can, policy.max and policy.min what the system allows now. Only max is a word of the conventions.",
	},
	{
		Name: "hw.energy", Unit: "J", Kind: Counter, Div: microjoules,
		Brief:  "Energy consumed by the component.",
		Entity: platform.Hardware, Device: HardwareID, Labels: typeLabels,
		Points: []Point{{Field: platform.HardwareEnergy}},
		Note:   "Of each processor, and of the memory behind it. What its cores and its graphics took is in the processor's.",
	},
	{
		Name: "hw.errors", Unit: "{error}", Kind: Counter,
		Brief:  "Number of errors encountered by the component.",
		Entity: platform.Hardware, Device: HardwareID, Labels: memoryLabels,
		Points: []Point{
			{platform.HardwareErrorsCorrected, attrs{ErrorType.String("corrected")}},
			{platform.HardwareErrorsUncorrected, attrs{ErrorType.String("uncorrected")}},
		},
		Note: "Of the memory behind each controller. Those of interfaces are system.network.errors.",
	},
	{
		Name: "hw.fan.speed", Unit: "rpm", Kind: Gauge,
		Brief:  "Fan speed in revolutions per minute.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{{Field: platform.HardwareFanSpeed}},
		Note:   "hw.parent is the chip that measures it, as with all sensors.",
	},
	{
		Name: "hw.fan.speed.limit", Unit: "rpm", Kind: Gauge,
		Brief:  "Speed limit in rpm.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{
			{platform.HardwareFanSpeedLowDegraded, attrs{HardwareLimit.String("low.degraded")}},
			{platform.HardwareFanSpeedMax, attrs{HardwareLimit.String("max")}},
		},
	},
	{
		Name: "hw.fan.speed_ratio", Unit: "1", Kind: Gauge, Ratio: platform.HardwareFanSpeedMax,
		Brief:  "Fan speed expressed as a fraction of its maximum speed.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{{Field: platform.HardwareFanSpeed}},
		Note:   "Few fans tell their maximum.",
	},
	{
		Name: "hw.host.energy", Unit: "J", Kind: Counter,
		Brief:  "Total energy consumed by the entire physical host, in joules.",
		Entity: platform.Hardware, Device: HardwareID, Labels: hostLabels,
		Points: []Point{{Field: platform.HardwareHostEnergy}},
		Note:   "Where the processor measures the whole platform (psys).",
	},
	{
		Name: "hw.host.power", Unit: "W", Kind: Gauge, Div: microwatts,
		Brief:  "Instantaneous power consumed by the entire physical host in Watts (`hw.host.energy` is preferred).",
		Entity: platform.Hardware, Device: HardwareID, Labels: hostLabels,
		Points: []Point{{Field: platform.HardwareHostPower}},
		Note:   "Where the firmware has a power meter (ACPI).",
	},
	{
		Name: "hw.network.bandwidth.limit", Unit: "By/s", Kind: UpDownCounter,
		Brief:  "Link speed.",
		Entity: platform.Network, Device: HardwareID, Labels: linkLabels,
		Points: []Point{{Field: platform.NetworkSpeed}},
		Note:   "In one direction. There is no point where the driver does not know it, as for a link that is down.",
	},
	{
		Name: "hw.network.io", Unit: "By", Kind: Counter,
		Brief:  "Received and transmitted network traffic in bytes.",
		Entity: platform.Network, Device: HardwareID, Labels: linkLabels,
		Points: []Point{
			{platform.NetworkReceiveBytes, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitBytes, attrs{NetworkDirection.String("transmit")}},
		},
		Note: "What system.network.io shows, by the adapter's identity.",
	},
	{
		Name: "hw.network.packets", Unit: "{packet}", Kind: Counter,
		Brief:  "Received and transmitted network traffic in packets (or frames).",
		Entity: platform.Network, Device: HardwareID, Labels: linkLabels,
		Points: []Point{
			{platform.NetworkReceivePackets, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitPackets, attrs{NetworkDirection.String("transmit")}},
		},
		Note: "What system.network.packet.count shows, by the adapter's identity.",
	},
	{
		Name: "hw.network.up", Unit: "1", Kind: UpDownCounter,
		Brief:  "Link status: `1` (up) or `0` (down).",
		Entity: platform.Network, Device: HardwareID, Labels: linkLabels,
		Points: []Point{{Field: platform.NetworkUp}},
	},
	{
		Name: "hw.physical_disk.size", Unit: "By", Kind: UpDownCounter,
		Brief:  "Size of the disk.",
		Entity: platform.Disk, Device: HardwareID, Labels: diskLabels,
		Points: []Point{{Field: platform.DiskSize}},
	},
	{
		Name: "hw.power", Unit: "W", Kind: Gauge, Div: microwatts,
		Brief:  "Instantaneous power consumed by the component.",
		Entity: platform.Hardware, Device: HardwareID, Labels: typeLabels,
		Points: []Point{{Field: platform.HardwarePower}},
		Note:   "Of graphics cards and processors whose driver measures it. Of a rail of a board it is not known what it feeds.",
	},
	{
		Name: "hw.status", Unit: "1", Kind: UpDownCounter,
		Brief:  "Operational status: `1` (true) or `0` (false) for each of the possible states.",
		Entity: platform.Hardware, Device: HardwareID, Labels: typeLabels,
		Points: []Point{
			{platform.HardwareDegraded, attrs{HardwareState.String("degraded")}},
			{platform.HardwareFailed, attrs{HardwareState.String("failed")}},
			{platform.HardwareOK, attrs{HardwareState.String("ok")}},
		},
		Note: "Of sensors and fans: degraded is an alarm of the chip, failed a sensor that does not work. Of batteries: what they call their health. What tells no state has no point.",
	},
	{
		Name: "hw.temperature", Unit: "Cel", Kind: Gauge, Div: millidegrees,
		Brief:  "Temperature in degrees Celsius.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{{Field: platform.HardwareTemperature}},
		Note:   "Of the chips that measure it; where there is none, of the thermal zones.",
	},
	{
		Name: "hw.temperature.limit", Unit: "Cel", Kind: Gauge, Div: millidegrees,
		Brief:  "Temperature limit in degrees Celsius.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{
			{platform.HardwareTemperatureHighCritical, attrs{HardwareLimit.String("high.critical")}},
			{platform.HardwareTemperatureHighDegraded, attrs{HardwareLimit.String("high.degraded")}},
			{platform.HardwareTemperatureLowCritical, attrs{HardwareLimit.String("low.critical")}},
			{platform.HardwareTemperatureLowDegraded, attrs{HardwareLimit.String("low.degraded")}},
		},
		Note: "A limit that is not set has no point.",
	},
	{
		Name: "hw.voltage", Unit: "V", Kind: Gauge, Div: millivolts,
		Brief:  "Voltage measured by the sensor.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{{Field: platform.HardwareVoltage}},
		Note:   "At the pin of the chip, which may be behind a divider that only the board's maker knows.",
	},
	{
		Name: "hw.voltage.limit", Unit: "V", Kind: Gauge, Div: millivolts,
		Brief:  "Voltage limit in Volts.",
		Entity: platform.Hardware, Device: HardwareID, Labels: sensorLabels,
		Points: []Point{
			{platform.HardwareVoltageHighCritical, attrs{HardwareLimit.String("high.critical")}},
			{platform.HardwareVoltageHighDegraded, attrs{HardwareLimit.String("high.degraded")}},
			{platform.HardwareVoltageLowCritical, attrs{HardwareLimit.String("low.critical")}},
			{platform.HardwareVoltageLowDegraded, attrs{HardwareLimit.String("low.degraded")}},
		},
		Note: "A limit that is not set has no point.",
	},
}

// hostLabels are those of what stands for the machine as a whole.
var hostLabels = []Label{{platform.HardwareName, HardwareName}, {platform.HardwareParent, HardwareParent}}

// hardwareExtensions are what the conventions lack of hardware.
var hardwareExtensions = [...]Metric{
	{
		Name: "hw.battery.status", Unit: "1", Kind: UpDownCounter,
		Brief:  "What the battery does: `1` (true) or `0` (false) for each of the possible states.",
		Entity: platform.Hardware, Device: HardwareID, Labels: batteryLabels,
		Points: []Point{
			{platform.HardwareCharging, attrs{BatteryState.String("charging")}},
			{platform.HardwareDischarging, attrs{BatteryState.String("discharging")}},
			{platform.HardwareFull, attrs{BatteryState.String("full")}},
			{platform.HardwareNotCharging, attrs{BatteryState.String("not_charging")}},
		},
		Note: "not_charging is one that is connected, and neither charged nor full. hw.status tells whether it is in order.",
	},
	{
		Name: "hw.cpu.speed.nominal", Unit: "Hz", Kind: Gauge,
		Brief:  "The frequency that the CPU is made for.",
		Entity: platform.CPU, Device: HardwareID, Labels: cpuLabels,
		Points: []Point{{Field: platform.CPUFrequencyNominal}},
		Note:   "Where hw.cpu.speed has no point, this is what system.cpu.frequency shows.",
	},
	{
		Name: "hw.power_supply.online", Unit: "1", Kind: UpDownCounter,
		Brief:  "Whether the power supply gives power: `1` (yes) or `0` (no).",
		Entity: platform.Hardware, Device: HardwareID,
		Labels: []Label{
			{platform.HardwareName, HardwareName}, {platform.HardwareModel, HardwareModel},
			{platform.HardwareVendor, HardwareVendor}, {platform.HardwareSerial, HardwareSerial}},
		Points: []Point{{Field: platform.HardwareOnline}},
		Note:   "Of the plugs of a machine that has a battery.",
	},
}
