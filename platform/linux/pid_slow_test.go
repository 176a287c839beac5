package linux

import (
	"math/bits"
	"strconv"
	"strings"
)

// The plain twins of the process decoders: to be read and believed, not to be fast.

// slowPidStat returns comm, state and the columns that are no negative numbers.
func slowPidStat(s string) (comm, state string, columns map[int]uint64, ok bool) {
	first, last := strings.Index(s, "("), strings.LastIndex(s, ")")
	if first < 0 || last < first || len(s) < last+4 || !strings.HasSuffix(s, "\n") {
		return "", "", nil, false
	}
	columns = map[int]uint64{}
	for i, field := range slowFields(s[last+3:]) {
		v, err := strconv.ParseUint(field, 10, 64)
		if column := i + statParent; err == nil && column <= statIowait && field[0] != '+' {
			columns[column] = v
		}
	}
	_, ok = columns[statStart]
	return s[first+1 : last], s[last+2 : last+3], columns, ok
}

// slowNice returns the column that may be negative.
func slowNice(s string) (nice int64, ok bool) {
	fields := slowFields(s[strings.LastIndex(s, ")")+3:])
	if i := statNice - statParent; i < len(fields) && fields[i][0] != '+' {
		v, err := strconv.ParseInt(fields[i], 10, 64)
		return v, err == nil && v > -1<<63
	}
	return 0, false
}

// slowPidStatm returns the numbers of statm but for the last.
func slowPidStatm(s string) []uint64 {
	return slowNumbers(slowFields(s[:strings.LastIndex(s, "\n")+1]), numStatm)
}

// slowColons returns, in order, the keys and values of lines with a colon.
func slowColons(s string) (pairs [][2]string) {
	for _, line := range slowLines(s) {
		key, value, _ := strings.Cut(line, ":")
		pairs = append(pairs, [2]string{key, value})
	}
	return pairs
}

func slowPidIO(s string) map[string]uint64 {
	values := map[string]uint64{}
	for _, p := range slowColons(s) {
		fields := slowFields(p[1])
		if len(fields) == 0 {
			continue
		}
		if v, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
			values[p[0]] = v
		}
	}
	return values
}

func slowPidStatus(s string) map[int]uint64 {
	values := map[int]uint64{}
	pending := ""
	for _, p := range slowColons(s) {
		fields := slowFields(p[1])
		number := func(i, column int) {
			if 0 <= column && column < len(fields) {
				if v, err := strconv.ParseUint(fields[column], 10, 64); err == nil {
					values[i] = v
				}
			}
		}
		kilobytes := func(i int) {
			if slowTrim(p[1]) == "" || len(fields) != 2 || fields[1] != "kB" {
				return
			}
			if v, err := strconv.ParseUint(fields[0], 10, 64); err == nil && v < 1<<54 {
				values[i] = v * 1024
			}
		}
		switch p[0] {
		case "PPid":
			number(statusParent, 0)
		case "Uid":
			number(statusUser, 1)
		case "VmPeak":
			kilobytes(statusVirtualPeak)
		case "VmSize":
			kilobytes(statusVirtual)
		case "VmHWM":
			kilobytes(statusPeak)
		case "VmRSS":
			kilobytes(statusRSS)
		case "RssAnon":
			kilobytes(statusAnonymous)
		case "RssFile":
			kilobytes(statusFile)
		case "RssShmem":
			kilobytes(statusShmem)
		case "HugetlbPages":
			kilobytes(statusHugetlb)
		case "NSpid":
			number(statusVPID, len(fields)-1)
		case "Threads":
			number(statusThreads, 0)
		case "SigPnd":
			pending = slowTrim(p[1])
		case "ShdPnd":
			if n, ok := slowBits(pending, slowTrim(p[1])); ok {
				values[statusPending] = n
			}
		case "Cpus_allowed":
			if n, ok := slowBits(slowTrim(p[1]), slowTrim(p[1])); ok {
				values[statusAllowed] = n
			}
		case "voluntary_ctxt_switches":
			number(statusVoluntary, 0)
		case "nonvoluntary_ctxt_switches":
			number(statusInvoluntary, 0)
		}
	}
	return values
}

// slowBits counts the bits of two masks of the same form.
func slowBits(a, b string) (n uint64, ok bool) {
	if len(a) != len(b) || a == "" {
		return 0, false
	}
	for i := range len(a) {
		if a[i] == ',' && b[i] == ',' {
			continue
		}
		x, err := strconv.ParseUint(a[i:i+1], 16, 8)
		y, err2 := strconv.ParseUint(b[i:i+1], 16, 8)
		if err != nil || err2 != nil {
			return 0, false
		}
		n += uint64(bits.OnesCount64(x | y))
	}
	return n, true
}

func slowPasswd(s string) map[uint64]string {
	names := map[uint64]string{}
	for line := range strings.SplitSeq(s, "\n") {
		parts := strings.Split(line, ":")
		if len(parts) < 4 || parts[0] == "" {
			continue
		}
		fields := slowFields(parts[2])
		if len(fields) == 0 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 32)
		if _, taken := names[id]; err == nil && !taken {
			names[id] = parts[0]
		}
	}
	return names
}
