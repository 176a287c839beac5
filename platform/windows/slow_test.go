package windows

import (
	"strings"
	"unicode/utf16"
)

// The plain twins of the decoders, which look at one byte at a time.

// number reads a little-endian number, if all of it is there.
func number(b []byte, at, size int) (v uint64, ok bool) {
	if at < 0 || at+size > len(b) {
		return 0, false
	}
	for i := range size {
		v += uint64(b[at+i]) << (8 * i)
	}
	return v, true
}

// sure reads a number that is known to be there.
func sure(b []byte, at, size int) uint64 {
	v, ok := number(b, at, size)
	if !ok {
		panic("a twin read outside of its bytes")
	}
	return v
}

// slowProcess is what a twin says of a process.
type slowProcess struct {
	pid, create, commit uint64
	name                string
	threads             []uint64 // IDs
	extension           []uint64 // bytes and requests of disks, flushes, context switches
}

// slowProcesses reads SystemProcessInformation.
func slowProcesses(b []byte, base uint64, word int) (all []slowProcess, whole bool) {
	size, thread, id := 0x100, 0x50, 0x30
	name, pid, commit := 0x40, 0x50, 0xb8
	if word == 4 {
		size, thread, id = 0xb8, 0x40, 0x24
		name, pid, commit = 0x3c, 0x44, 0x7c
	}
	for at := 0; ; {
		if at+size > len(b) {
			return all, false
		}
		next, end := int(sure(b, at, 4)), len(b)
		if next != 0 {
			end = at + next
		}
		if next != 0 && (next < size || end > len(b)) {
			return all, false
		}
		p := slowProcess{pid: sure(b, at+pid, word), create: sure(b, at+0x20, 8), commit: sure(b, at+commit, word)}
		for i := range sure(b, at+4, 4) {
			from := at + size + int(i)*thread
			if from+thread > end {
				return all, false
			}
			p.threads = append(p.threads, sure(b, from+id, word))
		}
		from := at + size + int(sure(b, at+4, 4))*thread
		for i := range uint64(6) { // up to the name, if it stands in this row
			pointer, to := sure(b, at+name, word), uint64(from)+8*i+8
			if last := pointer - base; pointer >= base && last >= uint64(from) && last < uint64(end) && to > last {
				break
			}
			if v, ok := number(b[:end], int(to)-8, 8); ok {
				p.extension = append(p.extension, v)
			}
		}
		p.name = slowString(b, base, sure(b, at+name, word), int(sure(b, at+0x38, 2)))
		all = append(all, p)
		if next == 0 {
			return all, true
		}
		at += next
	}
}

// slowString reads so many bytes of UTF-16 that a pointer leads to. Surrogates without
// a partner are left to the tests of package text.
func slowString(b []byte, base, pointer uint64, length int) string {
	var units []uint16
	for i := 0; i+2 <= length; i += 2 {
		at := pointer - base + uint64(i)
		if pointer < base || at+2 > uint64(len(b)) || at > 1<<40 {
			return ""
		}
		units = append(units, uint16(sure(b, int(at), 2)))
	}
	return string(utf16.Decode(units))
}

// slowCommandLine splits a command line by a machine of states over its characters.
func slowCommandLine(line string) (arguments []string) {
	if line == "" {
		return nil
	}
	first, rest := "", ""
	if line[0] == '"' {
		first, rest, _ = strings.Cut(line[1:], `"`)
	} else if i := strings.IndexAny(line, " \t"); i >= 0 {
		first, rest = line[:i], line[i+1:]
	} else {
		first = line
	}
	arguments = append(arguments, first)
	var argument strings.Builder
	started, quoted := false, false
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		slashes := len(rest[i:]) - len(strings.TrimLeft(rest[i:], `\`))
		after := strings.HasPrefix(rest[i+slashes:], `"`)
		switch {
		case slashes > 0 && after:
			argument.WriteString(strings.Repeat(`\`, slashes/2))
			started = true
			i += slashes - 1
			if slashes%2 == 1 {
				argument.WriteByte('"')
				i++
			}
		case c == '"' && quoted && strings.HasPrefix(rest[i+1:], `"`):
			argument.WriteByte('"')
			i++
		case c == '"':
			quoted, started = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if started {
				arguments = append(arguments, argument.String())
			}
			argument.Reset()
			started = false
		default:
			argument.WriteByte(c)
			started = true
		}
	}
	if started {
		arguments = append(arguments, argument.String())
	}
	return arguments
}

// slowEnvironment looks for two NULs in a row, unit by unit.
func slowEnvironment(b []byte) (end int, ok bool) {
	for at := 0; at+4 <= len(b); at += 2 {
		if sure(b, at, 4) == 0 {
			if at == 0 {
				return 0, true
			}
			return at + 2, true
		}
	}
	return 0, false
}

// slowCores counts the cores in a list of structures, each of which tells its own size.
func slowCores(b []byte) (cores uint64, ok bool) {
	for at := 0; at < len(b); {
		size, has := number(b, at+4, 4)
		if !has || size < 8 || at+int(size) > len(b) {
			return 0, false
		}
		if sure(b, at, 4) == 0 {
			cores++
		}
		at += int(size)
	}
	return cores, true
}

// slowPageFiles reads a list of page files.
func slowPageFiles(b []byte, base uint64, word int) (names []string, total uint64, whole bool) {
	if len(b) == 0 {
		return nil, 0, true
	}
	for at := 0; ; {
		if at+16+2*word > len(b) {
			return names, total, false
		}
		total += sure(b, at+4, 4)
		names = append(names, slowString(b, base, sure(b, at+16+word, word), int(sure(b, at+16, 2))))
		next := int(sure(b, at, 4))
		if next == 0 {
			return names, total, true
		}
		if next > len(b)-at {
			return names, total, false
		}
		at += next
	}
}

// slowTerminated reads UTF-16 up to a NUL, unit by unit.
func slowTerminated(b []byte, base, pointer uint64) []byte {
	if pointer < base || pointer-base > uint64(len(b)) {
		return nil
	}
	from := int(pointer - base)
	for at := from; at+2 <= len(b); at += 2 {
		if sure(b, at, 2) == 0 {
			return b[from:at]
		}
	}
	return nil
}
