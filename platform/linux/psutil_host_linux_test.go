package linux

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// TestPsutilHost compares what we say of the machine with what psutil says before and
// after.
func TestPsutilHost(t *testing.T) {
	for name, uid := range users() {
		t.Run(name, func(t *testing.T) {
			psutil, ours := callPsutil(t, uid), callOurs(t, uid)
			sandwich(t, 0, func() map[string]string { return psutil.ask("host")[""] }, func() map[string]string { return ours.ask("host")[""] })
		})
	}
}

// sandwich asks them, us, them, until each of our values was right once: a counter
// between two of theirs, anything else as they say both times. Quantities that go up
// and down, as free memory does, need not lie between two others, but in some round
// they do. Whoever asks takes memory himself; slack is how much.
func sandwich(t *testing.T, slack int64, theirs, ours func() map[string]string) {
	t.Helper()
	const rounds = 200
	var wrong map[string]string
	before, round := theirs(), 0
	for ; round == 0 || round < rounds && len(wrong) > 0; round++ {
		told := ours()
		after := theirs()
		faults := hostFaults(before, told, after, slack)
		maps.DeleteFunc(faults, func(what, _ string) bool { return round > 0 && wrong[what] == "" })
		wrong, before = faults, after
	}
	if len(before) == 0 {
		t.Error("they say nothing")
	}
	t.Logf("%d values, %d rounds", len(before), round)
	for what, fault := range wrong {
		t.Errorf("%s: %s", what, fault)
	}
}

// hostFaults compares three accounts, value by value. Slack is for amounts of memory.
func hostFaults(before, got, after map[string]string, slack int64) map[string]string {
	faults := map[string]string{}
	for name, low := range before {
		high, ours := after[name], got[name]
		kind, what, _ := strings.Cut(name, " ")
		switch {
		case kind == "usage" && pseudo(low, ours):
		case kind == "pids":
			if missing := without(common(low, high), ours); len(missing) > 0 {
				faults[name] = fmt.Sprintf("%v are missing", missing)
			}
		case ours == low || ours == high:
		case hostNumbers[kind]:
			room := map[bool]int64{true: slack}[kind == "memory" || kind == "buffers"]
			for i, column := range strings.Fields(low) {
				if o, h := columnOf(ours, i), columnOf(high, i); !amid(column, o, h, room) {
					faults[fmt.Sprintf("%s, column %d", name, i)] = fmt.Sprintf("%q, theirs: %q before, %q after", o, column, h)
				}
			}
		case low == high:
			faults[name] = fmt.Sprintf("%s, theirs: %s (%s)", ours, low, unhex(what))
		}
	}
	return faults
}

// hostNumbers are the kinds of values that are numbers which move.
var hostNumbers = map[string]bool{
	"cpu": true, "memory": true, "buffers": true, "swap": true, "paging": true, "disk": true, "net": true, "usage": true,
	"inodes": true, "stats": true, "forks": true, "load": true, "tcp": true, "udp": true,
}

// pseudo reports a file system that has no space to speak of, of which we do not speak.
func pseudo(low, ours string) bool {
	return ours == "" && (strings.HasPrefix(low, "0 ") || low == "")
}

// amid reports whether a number lies between two others, in whatever order they are.
func amid(one, v, other string, slack int64) bool {
	if v == "-" || one == "-" {
		return true
	}
	a, errOne := strconv.ParseInt(one, 10, 64)
	n, err := strconv.ParseInt(v, 10, 64)
	b, errOther := strconv.ParseInt(other, 10, 64)
	return errOne == nil && err == nil && errOther == nil && min(a, b)-slack <= n && n <= max(a, b)+slack
}

func columnOf(values string, i int) string {
	if f := strings.Fields(values); i < len(f) {
		return f[i]
	}
	return ""
}

func common(a, b string) (both []string) {
	for _, v := range strings.Fields(a) {
		if slices.Contains(strings.Fields(b), v) {
			both = append(both, v)
		}
	}
	return both
}

func without(all []string, list string) (rest []string) {
	for _, v := range all {
		if !slices.Contains(strings.Fields(list), v) {
			rest = append(rest, v)
		}
	}
	return rest
}

func unhex(s string) string {
	b, _ := hex.DecodeString(s)
	return string(b)
}

// spellHost spells what a pass, and what the inspector, tells of the machine.
func spellHost(b *backend) map[string]string {
	ctx := context.Background()
	c := &collector{}
	must((&reader{b, ctx}).readHost(everything&^containerSources, 0, c))
	told := map[string]string{"boot": strconv.FormatInt(b.Boot().Time.Unix(), 10)}
	host := c.of(platform.Host)[0]
	spellHostFields(told, host)
	for _, g := range c.of(platform.CPU) {
		told[fmt.Sprintf("cpu %d", g.key.ID)] = g.spell(tickNanos, platform.CPUUser, platform.CPUNice, platform.CPUSystem,
			platform.CPUIdle, platform.CPUIowait, platform.CPUInterrupt, platform.CPUSteal) + " - -"
	}
	for _, g := range c.of(platform.Disk) {
		told["disk "+g.key.Name] = strings.Join([]string{
			g.spell(1, platform.DiskReads, platform.DiskWrites, platform.DiskReadBytes, platform.DiskWriteBytes),
			g.spell(milli, platform.DiskReadTime, platform.DiskWriteTime),
			g.spell(1, platform.DiskReadsMerged, platform.DiskWritesMerged), g.spell(milli, platform.DiskIOTime)}, " ")
	}
	for _, g := range c.of(platform.Network) {
		told["net "+g.key.Name] = g.spell(1, platform.NetworkTransmitBytes, platform.NetworkReceiveBytes,
			platform.NetworkTransmitPackets, platform.NetworkReceivePackets, platform.NetworkReceiveErrors,
			platform.NetworkTransmitErrors, platform.NetworkReceiveDropped, platform.NetworkTransmitDropped)
	}
	for _, g := range c.of(platform.Filesystem) {
		told["usage "+hexOf(g.key.Name)] = g.spell(1, platform.FilesystemTotal, platform.FilesystemUsed, platform.FilesystemFree)
		told["inodes "+hexOf(g.key.Name)] = g.spell(1, platform.FilesystemInodes, platform.FilesystemInodesUsed, platform.FilesystemInodesFree)
	}
	var swap [3]uint64
	for _, g := range c.of(platform.Swap) {
		for i, f := range [...]platform.Field{platform.SwapTotal, platform.SwapUsed, platform.SwapFree} {
			swap[i] += g.fields[f]
		}
	}
	told["swap"] = strings.Trim(fmt.Sprint(swap), "[]")
	told["pids"] = strings.Trim(fmt.Sprint(b.visible()), "[]")
	spellInterfaces(told, try(b.Interfaces(ctx)))
	told["mounts"] = sorted(try(b.Mounts(ctx)), spellMount)
	if sessions, err := b.Sessions(ctx); err == nil {
		told["users"] = sorted(sessions, spellSession)
	}
	return told
}

func spellHostFields(told map[string]string, host given) {
	told["cpu"] = host.spell(tickNanos, platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem,
		platform.HostCPUIdle, platform.HostCPUIowait, platform.HostCPUInterrupt, platform.HostCPUSteal) + " - -"
	told["cpus"] = host.spell(1, platform.HostCPULogical, platform.HostCPUPhysical)
	told["memory total"] = host.spell(1, platform.HostMemoryTotal)
	slab := host.fields[platform.HostSlabReclaimable] + host.fields[platform.HostSlabUnreclaimable]
	told["memory"] = fmt.Sprint(host.spell(1, platform.HostMemoryAvailable, platform.HostMemoryUsed, platform.HostMemoryFree,
		platform.HostMemoryActive, platform.HostMemoryInactive, platform.HostMemoryBuffers, platform.HostMemoryCached,
		platform.HostMemoryShared), " ", slab)
	told["buffers"] = fmt.Sprint(host.fields[platform.HostMemoryBuffers] + host.fields[platform.HostMemoryCached])
	told["paging"] = host.spell(1, platform.HostSwapInBytes, platform.HostSwapOutBytes)
	told["stats"] = host.spell(1, platform.HostContextSwitches, platform.HostInterrupts, platform.HostSoftInterrupts)
	told["forks"] = host.spell(1, platform.HostProcessesCreated)
	told["tcp"] = host.spell(1, tcpFields[:]...)
	told["udp"] = host.spell(1, platform.HostUDP)
	told["load"] = host.spell(1, platform.HostLoad1, platform.HostLoad5, platform.HostLoad15)
}

// spell spells fields in units of the script, "-" for what there is not.
func (g given) spell(unit uint64, fields ...platform.Field) string {
	var all []string
	for _, f := range fields {
		value := "-"
		if v, ok := g.fields[f]; ok {
			value = strconv.FormatUint(v/unit, 10)
		}
		all = append(all, value)
	}
	return strings.Join(all, " ")
}

func spellInterfaces(told map[string]string, list []platform.Interface) {
	for _, i := range list {
		var addresses []string
		if hardware := spellHardware(i.Hardware); hardware != "" {
			addresses = append(addresses, "17 "+hardware+" - -")
		}
		for _, a := range i.Addresses {
			addresses = append(addresses, spellAddress(a))
		}
		if len(addresses) > 0 {
			told["addresses "+i.Name] = sorted(addresses, func(s string) string { return s })
		}
		var speed, mtu uint64
		if i.Speed != nil {
			speed = *i.Speed / 1e6
		}
		if i.MTU != nil {
			mtu = *i.MTU
		}
		told["link "+i.Name] = fmt.Sprintf("%s %d %d %s", cmp.Or(i.Duplex, "unknown"), speed, mtu, strings.Join(i.Flags, ","))
	}
}

func spellAddress(a platform.Address) string {
	const inet, inet6 = 2, 10
	family, other := inet6, "none"
	if a.IP.Is4() {
		family = inet
	}
	for _, o := range [...]netip.Addr{a.Peer, a.Broadcast} {
		if o.IsValid() {
			other = o.String()
		}
	}
	return fmt.Sprintf("%d %v %v %s", family, a.IP, a.Netmask(), other)
}

// spellMount spells as /proc/mounts does, of which psutil leaves out the source "none".
func spellMount(m platform.Mount) string {
	mode := "rw"
	if m.ReadOnly {
		mode = "ro"
	}
	if m.Source == "none" {
		m.Source = ""
	}
	source := hexOf(m.Source)
	if m.Point == "/" {
		source = "-"
	}
	return fmt.Sprintf("%s %s %s %s", source, hexOf(m.Point), m.Type, mode)
}

func spellSession(s platform.Session) string {
	host := s.Host
	if host == ":0" || host == ":0.0" {
		host = "localhost" // as psutil has it
	}
	return fmt.Sprintf("%s %s %s %d %d", hexOf(s.User), cmp.Or(s.Terminal, "None"), hexOf(host), s.PID, s.Started.Unix())
}
