package linux

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// The plain twins of the host's decoders: to be read and believed, not to be fast.

func slowFields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n\r", r) })
}

func slowTrim(s string) string { return strings.Trim(s, " \t\n\r") }

// slowLines returns the lines that end in a newline.
func slowLines(s string) []string {
	lines := strings.Split(s, "\n")
	return lines[:len(lines)-1]
}

// slowNumbers returns the numbers that a list of fields begins with.
func slowNumbers(fields []string, most int) (numbers []uint64) {
	for _, f := range fields {
		v, err := strconv.ParseUint(f, 10, 64)
		if err != nil || len(numbers) == most {
			break
		}
		numbers = append(numbers, v)
	}
	return numbers
}

func slowScaled(s *platform.Sample, f platform.Field, v, unit uint64) {
	if v*unit/unit == v {
		s.Set(f, v*unit)
	}
}

func slowCPU(s *platform.Sample, columns []uint64, fields []platform.Field) {
	for i, f := range fields {
		switch {
		case i < 5 && i < len(columns):
			slowScaled(s, f, columns[i], 10_000_000)
		case i == 5 && len(columns) > 6:
			slowScaled(s, f, columns[5]+columns[6], 10_000_000)
		case i == 6 && len(columns) > 7:
			slowScaled(s, f, columns[7], 10_000_000)
		}
	}
}

func hostCPUFields() []platform.Field {
	return []platform.Field{
		platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUIdle,
		platform.HostCPUIowait, platform.HostCPUInterrupt, platform.HostCPUSteal,
	}
}

func slowColumns(fields []string) (columns []uint64) {
	for _, v := range slowNumbers(fields, 8) {
		if v > 1<<60 {
			break
		}
		columns = append(columns, v)
	}
	return columns
}

// slowStat returns, beside the host's fields, the columns of each CPU.
func slowStat(s string, host *platform.Sample) (ids []uint64, cpus [][]uint64) {
	for _, line := range slowLines(s) {
		f := append(slowFields(line), "")
		id, isCPU := strings.CutPrefix(f[0], "cpu")
		switch {
		case isCPU && id == "":
			slowCPU(host, slowColumns(f[1:]), hostCPUFields())
		case isCPU:
			if n, err := strconv.ParseUint(id, 10, 64); err == nil {
				ids, cpus = append(ids, n), append(cpus, slowColumns(f[1:]))
			}
		default:
			field, known := map[string]platform.Field{
				"ctxt": platform.HostContextSwitches, "intr": platform.HostInterrupts, "softirq": platform.HostSoftInterrupts,
				"processes": platform.HostProcessesCreated, "procs_running": platform.HostTasksRunnable,
				"procs_blocked": platform.HostTasksBlocked,
			}[f[0]]
			if n := slowNumbers(f[1:], 1); known && len(n) > 0 {
				host.Set(field, n[0])
			}
			if len(ids) > 0 {
				host.Set(platform.HostCPULogical, uint64(len(ids)))
			}
		}
	}
	return ids, cpus
}

func slowBootTime(s string) (uint64, bool) {
	for _, line := range slowLines(s) {
		if f := slowFields(line); len(f) > 0 && f[0] == "btime" {
			n := slowNumbers(f[1:], 1)
			return append(n, 0)[0], len(n) > 0
		}
	}
	return 0, false
}

func slowVmstat(s string, word uint8, host *platform.Sample) {
	m := map[string]uint64{}
	for _, line := range slowLines(s) {
		f := slowFields(line)
		if len(f) > 1 {
			if n := slowNumbers(f[1:], 1); len(n) > 0 {
				m[f[0]] = n[0]
			}
		}
	}
	for key, f := range map[string]platform.Field{
		"pgmajfault": platform.HostFaultsMajor, "pswpin": platform.HostSwapIn, "pswpout": platform.HostSwapOut,
		"oom_kill": platform.HostOOMKills,
	} {
		if v, ok := m[key]; ok {
			host.Set(f, v)
		}
	}
	all, ok := m["pgfault"]
	major, known := m["pgmajfault"]
	if ok && known && word == 32 {
		host.Set(platform.HostFaultsMinor, (all-major)%(1<<32))
	} else if ok && known && all >= major {
		host.Set(platform.HostFaultsMinor, all-major)
	}
}

func slowDisk(line string, s *platform.Sample) (name string, ok bool) {
	f := slowFields(line)
	if len(f) < 3 || len(slowNumbers(f, 2)) < 2 {
		return "", false
	}
	f = f[2:]
	isNumber := func(s string) bool { return len(slowNumbers([]string{s}, 1)) == 1 }
	if isNumber(f[0]) && (len(f) == 1 || !isNumber(f[1])) {
		if f = f[1:]; len(f) == 0 {
			return "", false
		}
	}
	v := slowNumbers(f[1:], 17)
	if len(v) == 4 {
		s.Set(platform.DiskReads, v[0])
		slowScaled(s, platform.DiskReadBytes, v[1], 512)
		s.Set(platform.DiskWrites, v[2])
		slowScaled(s, platform.DiskWriteBytes, v[3], 512)
		return f[0], true
	}
	for i, n := range v {
		switch i {
		case 0:
			s.Set(platform.DiskReads, n)
		case 1:
			s.Set(platform.DiskReadsMerged, n)
		case 2:
			slowScaled(s, platform.DiskReadBytes, n, 512)
		case 3:
			slowScaled(s, platform.DiskReadTime, n, 1_000_000)
		case 4:
			s.Set(platform.DiskWrites, n)
		case 5:
			s.Set(platform.DiskWritesMerged, n)
		case 6:
			slowScaled(s, platform.DiskWriteBytes, n, 512)
		case 7:
			slowScaled(s, platform.DiskWriteTime, n, 1_000_000)
		case 8:
			if n < 1<<31 {
				s.Set(platform.DiskPending, n)
			}
		case 9:
			slowScaled(s, platform.DiskIOTime, n, 1_000_000)
		case 10:
			slowScaled(s, platform.DiskWeightedTime, n, 1_000_000)
		case 11:
			s.Set(platform.DiskDiscards, n)
		case 12:
			s.Set(platform.DiskDiscardsMerged, n)
		case 13:
			slowScaled(s, platform.DiskDiscardBytes, n, 512)
		case 14:
			slowScaled(s, platform.DiskDiscardTime, n, 1_000_000)
		case 15:
			s.Set(platform.DiskFlushes, n)
		case 16:
			slowScaled(s, platform.DiskFlushTime, n, 1_000_000)
		}
	}
	return f[0], true
}

func slowInterface(line string, s *platform.Sample) (name string, ok bool) {
	colon := strings.LastIndex(line, ":")
	if colon < 0 || slowTrim(line[:colon]) == "" {
		return "", false
	}
	fields := map[int]platform.Field{
		0: platform.NetworkReceiveBytes, 1: platform.NetworkReceivePackets,
		2: platform.NetworkReceiveErrors, 3: platform.NetworkReceiveDropped,
		8: platform.NetworkTransmitBytes, 9: platform.NetworkTransmitPackets,
		10: platform.NetworkTransmitErrors, 11: platform.NetworkTransmitDropped,
	}
	for i, v := range slowNumbers(slowFields(line[colon+1:]), 12) {
		if f, ok := fields[i]; ok {
			s.Set(f, v)
		}
	}
	return slowTrim(line[:colon]), true
}

func slowSwap(line string, s *platform.Sample) (path string, ok bool) {
	f := slowFields(line)
	if len(f) < 3 {
		return "", false
	}
	v := slowNumbers(f[2:], 2)
	if len(v) == 0 {
		return "", false
	}
	slowScaled(s, platform.SwapTotal, v[0], 1024)
	if len(v) > 1 && v[1] <= v[0] {
		slowScaled(s, platform.SwapUsed, v[1], 1024)
		slowScaled(s, platform.SwapFree, v[0]-v[1], 1024)
	}
	return strings.TrimSuffix(slowUnoctal(f[0]), " (deleted)"), true
}

func slowLock(line string) (device string, f platform.Field, ok bool) {
	w := slowFields(line)
	if len(w) < 6 {
		return "", 0, false
	}
	fields := map[string]platform.Field{
		"POSIX READ": platform.LockPosixRead, "POSIX WRITE": platform.LockPosixWrite,
		"FLOCK READ": platform.LockFlockRead, "FLOCK WRITE": platform.LockFlockWrite,
		"OFDLCK READ": platform.LockOFDRead, "OFDLCK WRITE": platform.LockOFDWrite,
		"LEASE READ": platform.LockLeaseRead, "LEASE WRITE": platform.LockLeaseWrite,
		"DELEG READ": platform.LockLeaseRead, "DELEG WRITE": platform.LockLeaseWrite,
	}
	f, ok = fields[w[1]+" "+w[3]]
	parts := strings.Split(w[5], ":")
	if !ok || len(parts) != 3 {
		return "", 0, false
	}
	for _, p := range parts[:2] {
		if _, err := strconv.ParseUint(p, 16, 64); err != nil {
			return "", 0, false
		}
	}
	return parts[0] + ":" + parts[1], f, true
}

// slowSocket returns the fields of a socket's line, nil for the headline.
func slowSocket(line string) []string {
	slot, _, found := strings.Cut(strings.TrimLeft(line, " \t\n\r"), ":")
	if _, err := strconv.ParseUint(slot, 10, 64); !found || err != nil {
		return nil
	}
	return slowFields(line)
}

func slowTCP(line string, counts *tcpCounts) {
	f := slowSocket(line)
	if len(f) < 5 {
		return
	}
	if state, err := strconv.ParseUint(f[3], 16, 64); err == nil && state < 16 {
		counts[state]++
	}
}

func slowUptime(s string, host *platform.Sample) {
	if f := slowFields(s); len(f) > 0 {
		if v, ok := slowDecimal(f[0], 9); ok {
			host.Set(platform.HostUptime, v)
		}
	}
}

// slowDecimal reads a number with a fraction by moving the point.
func slowDecimal(s string, places int) (uint64, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if leadingDigits(fraction) != fraction {
		return 0, false
	}
	fraction = (fraction + strings.Repeat("0", places))[:places]
	v, err := strconv.ParseUint(whole+fraction, 10, 64)
	if err != nil || whole == "" {
		return 0, false
	}
	return v, true
}

func slowLoadavg(s string, host *platform.Sample) {
	fields := []platform.Field{platform.HostLoad1, platform.HostLoad5, platform.HostLoad15}
	for i, word := range slowFields(s) {
		v, ok := slowDecimal(word, 2)
		if !ok || i == len(fields) {
			return
		}
		host.Set(fields[i], v)
	}
}

// slowCPUList reads as many ranges as are well-formed.
func slowCPUList(s string) (ids []uint64) {
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimLeft(part, " \t\n\r"), "-")
		first, err := strconv.ParseUint(leadingDigits(from), 10, 64)
		if err != nil {
			return ids
		}
		last, whole := first, leadingDigits(from) == from
		if isRange && whole {
			to = strings.TrimLeft(to, " \t\n\r")
			if last, err = strconv.ParseUint(leadingDigits(to), 10, 64); err != nil {
				return ids
			}
			whole = leadingDigits(to) == to
		}
		if last >= 1<<16 {
			return ids
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
		if !whole {
			return ids
		}
	}
	return ids
}

func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

func slowCPUInfo(s string) (cpus []cpuInfo) {
	for _, line := range slowLines(s) {
		key, value, _ := strings.Cut(line, ":")
		key = slowTrim(key)
		n := slowNumbers(slowFields(value), 1)
		if key == "processor" || key == "cpu number" {
			if len(n) > 0 {
				cpus = append(cpus, cpuInfo{id: n[0]})
			}
			continue
		}
		if len(cpus) == 0 {
			continue
		}
		c := &cpus[len(cpus)-1]
		f := append(slowFields(value), "")
		switch v := append(n, 0)[0]; key {
		case "cpu MHz", "cpu MHz dynamic":
			c.hertz, c.hasHertz = slowDecimal(f[0], 6)
			c.measured = c.measured || key == "cpu MHz dynamic"
		case "cpu MHz static":
			c.nominal, c.hasNominal = slowDecimal(f[0], 6)
		case "clock":
			number := append(slowFields(strings.TrimSuffix(slowTrim(value), "MHz")), "")
			c.hertz, c.hasHertz = slowDecimal(number[0], 6)
		case "flags":
			c.measured = c.measured || slices.Contains(f, "aperfmperf")
		case "physical id":
			c.socket, c.hasSocket = v, len(n) > 0
		case "core id":
			c.core, c.hasCore = v, len(n) > 0
		}
	}
	return cpus
}

// sample returns an empty sample.
func sample(e platform.Entity) *platform.Sample {
	s := &platform.Sample{}
	s.Reset(e, platform.Key{})
	return s
}

// same fails if two samples of one entity differ in a field.
func same(t *testing.T, got, want *platform.Sample) {
	t.Helper()
	first, count := got.Entity.Block()
	for f := first; f < first+platform.Field(count); f++ {
		v, ok := got.Get(f)
		w, wanted := want.Get(f)
		if ok != wanted || v != w {
			t.Fatalf("%v = %d, %v; the plain decoder has %d, %v", f, v, ok, w, wanted)
		}
	}
}
