package darwin

import "github.com/pidometer/pidometer/internal/simkernel"

// Registry answers disks, a reader of cards without one, a battery and who the machine is.
func (k *Kernel) Registry(class string, keys []string) (services [][][]byte, err error) {
	if err := k.Call(class); err != nil {
		return nil, err
	}
	return k.values(k.services(class), keys), nil
}

// values are those of some keys of each, as property lists.
func (k *Kernel) values(of []map[string]any, keys []string) (services [][][]byte) {
	for _, s := range of {
		var values [][]byte
		for _, key := range keys {
			var b []byte
			if v, ok := s[key]; ok {
				b = Plist(v)
			}
			if k.Cut != 0 {
				b = b[:min(k.Cut, len(b))]
			}
			values = append(values, b)
		}
		services = append(services, values)
	}
	return services
}

func (k *Kernel) services(class string) (all []map[string]any) {
	switch class {
	case "IOPlatformExpertDevice":
		return []map[string]any{{"IOPlatformUUID": "0F7E6D5C-0000-11EE-9A55-000000000001"}}
	case "AppleSmartBattery":
		return []map[string]any{{"CurrentCapacity": uint64(80), "MaxCapacity": uint64(100), "IsCharging": false, "FullyCharged": false,
			"ExternalConnected": false, "TimeRemaining": uint64(90), "Temperature": uint64(3055), "BatteryInstalled": true}}
	case "IOBlockStorageDriver":
		all = append(all, map[string]any{"Statistics": map[string]any{"Operations (Read)": uint64(9)}})
		for _, d := range k.Disks {
			all = append(all, map[string]any{"BSD Name": d.Name, "Statistics": map[string]any{
				"Operations (Read)": d.Reads, "Operations (Write)": d.Writes, "Bytes (Read)": d.ReadBytes, "Bytes (Write)": d.WriteBytes,
				"Total Time (Read)": uint64(d.ReadTime), "Total Time (Write)": uint64(d.WriteTime), "Errors (Read)": uint64(0), "Note": "äö"}})
		}
	}
	return all
}

// Devices answers with nodes of the device tree, which a machine of Intel does not have.
func (k *Kernel) Devices(name string, keys []string) ([][][]byte, error) {
	if err := k.Call("node " + name); err != nil {
		return nil, err
	}
	if k.Intel {
		return nil, nil
	}
	return k.values(k.Nodes[name], keys), nil
}

// Slow and Fast are what the two kinds of CPUs of a machine can run at, in hertz.
var (
	Slow = []uint32{600_000_000, 972_000_000, 2_064_000_000}
	Fast = []uint32{600_000_000, 3_204_000_000}
)

// nodes are those of a machine whose CPUs are slow and fast by turns.
func (k *Kernel) nodes() map[string][]map[string]any {
	all := map[string][]map[string]any{"pmgr": {{"voltage-states1-sram": States(Slow...), "voltage-states5-sram": States(Fast...)}}}
	for cpu := range k.CPUs {
		all["cpu"] = append(all["cpu"], Node(uint64(cpu), "EP"[cpu%2]))
	}
	return all
}

// Node is that of a CPU. The firmware writes text with a NUL byte behind it.
func Node(cpu uint64, cluster byte) map[string]any {
	return map[string]any{"logical-cpu-id": cpu, "cluster-type": []byte{cluster, 0}}
}

// States is a table of frequencies, each with a voltage of 790 mV.
func States(speeds ...uint32) (table []byte) {
	for _, v := range speeds {
		table = append(table, simkernel.Words32(v, 790)...)
	}
	return table
}
