package windows

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeAll is what the decoder says of a table, in the words of its twin.
func decodeAll(b []byte, base uint64, word int) (all []slowProcess, whole bool) {
	t := newProcessTable(b, base, word)
	whole = t.decodeProcesses(func(e entry) bool {
		p := slowProcess{pid: t.size(e, t.proc.pid), create: t.u64(e, t.proc.create), commit: t.size(e, t.proc.commit),
			name: string(text.AppendUTF16(nil, t.name(e)))}
		for i := range e.count {
			p.threads = append(p.threads, t.thread(e, i).id)
		}
		if x, ok := decodeExtension(t.extensionOf(e)); ok {
			p.extension = []uint64{x.readBytes, x.writeBytes, x.reads, x.writes, 0, x.switches}
		}
		all = append(all, p)
		return true
	})
	return all, whole
}

func sameProcess(a, b slowProcess) bool {
	lossy := strings.ContainsRune(b.name, '\uFFFD') // what the twin makes of a surrogate
	if len(b.extension) == 6 {
		b.extension[4] = 0 // flushes are not read
	} else {
		b.extension = nil
	}
	return a.pid == b.pid && slices.Equal(a.extension, b.extension) && a.create == b.create && a.commit == b.commit && (a.name == b.name || lossy) && slices.Equal(a.threads, b.threads)
}

func checkProcesses(t *testing.T, b []byte, base uint64, word int) {
	t.Helper()
	got, whole := decodeAll(b, base, word)
	want, wantWhole := slowProcesses(b, base, word)
	if whole != wantWhole || !slices.EqualFunc(got, want, sameProcess) {
		t.Errorf("%d bytes, %d-byte words: %+v %v, want %+v %v", len(b), word, got, whole, want, wantWhole)
	}
}

// Cut off anywhere, a table tells nothing that is not in it, and says that it is cut.
func TestProcessesCutOff(t *testing.T) {
	for _, word := range []int{8, 4} {
		b := newWorld(word).table()
		for n := range len(b) + 1 {
			checkProcesses(t, b[:n:n], tableBase, word)
		}
		if _, whole := decodeAll(b[:len(b)-700:len(b)-700], tableBase, word); whole {
			t.Error("a table without its end is whole")
		}
	}
}

func TestProcesses(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		got, whole := decodeAll(w.table(), tableBase, word)
		if !whole || len(got) != len(w.tasks) {
			t.Fatalf("%d processes, whole %v", len(got), whole)
		}
		for i, p := range got {
			task := w.tasks[i]
			if p.pid != task.pid || p.create != task.create || p.name != string(text.AppendUTF16(nil, units(task.name))) || len(p.threads) != len(task.threads) {
				t.Errorf("%+v of %d, want %+v", p, i, task)
			}
		}
	}
}

func FuzzProcesses(f *testing.F) {
	f.Add(newWorld(8).table(), uint64(tableBase), true)
	f.Add(newWorld(4).table(), uint64(tableBase), false)
	f.Add([]byte{}, uint64(0), true)
	f.Fuzz(func(t *testing.T, b []byte, base uint64, long bool) {
		word := map[bool]int{true: 8, false: 4}[long]
		if word == 4 {
			base = uint64(uint32(base))
		}
		if base > 1<<62 {
			return // no address of user mode, and the twin would wrap
		}
		checkProcesses(t, b, base, word)
	})
}

func TestCommandLine(t *testing.T) {
	for line, want := range map[string][]string{
		"":                           nil,
		"a":                          {"a"},
		`a b	c`:                      {"a", "b", "c"},
		`"C:\Program Files\a.exe" x`: {`C:\Program Files\a.exe`, "x"},
		`"C:\a.exe"x y`:              {`C:\a.exe`, "x", "y"},
		`C:\a"b c`:                   {`C:\a"b`, "c"},
		`a ""`:                       {"a", ""},
		`a "" ""`:                    {"a", "", ""},
		`a "b c" d`:                  {"a", "b c", "d"},
		`a b\\\"c`:                   {"a", `b\"c`},
		`a "b\\" c`:                  {"a", `b\`, "c"},
		`a C:\x\ y`:                  {"a", `C:\x\`, "y"},
		`a "b""c" d`:                 {"a", `b"c`, "d"},
		`a "open end`:                {"a", "open end"},
		`a 日本 "語 語"`:                 {"a", "日本", "語 語"},
		` leading`:                   {"", "leading"},
		"a  \t ":                     {"a"},
	} {
		got := decodeCommandLine([]byte(line))
		var joined []byte
		for _, a := range want {
			joined = append(append(joined, a...), 0)
		}
		if !bytes.Equal(got, joined) {
			t.Errorf("%s: %q, want %q", line, got, joined)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	for _, line := range []string{"", `a "b""c" d`, `a b\\\"c "`, `"x"y`, "\t\""} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := decodeCommandLine([]byte(line))
		var want []byte
		for _, a := range slowCommandLine(line) {
			want = append(append(want, a...), 0)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	})
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		block string
		want  string
		ok    bool
	}{
		{"", "", false}, {"\x00\x00", "", true}, {"A=1\x00\x00rest", "A=1\x00", true},
		{"A=1\x00B=Ā\x00\x00", "A=1\x00B=Ā\x00", true}, {"A=1\x00B=2", "", false},
	} {
		b := units(wide(c.block))
		end, ok := decodeEnvironment(b)
		if got := string(text.AppendUTF16(nil, b[:end])); got != c.want || ok != c.ok {
			t.Errorf("%q: %q %v, want %q %v", c.block, got, ok, c.want, c.ok)
		}
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add(units(wide("A=1\x00B=Ā\x00\x00")))
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		end, ok := decodeEnvironment(b)
		if want, wantOK := slowEnvironment(b); end != want || ok != wantOK {
			t.Errorf("%x: %d %v, want %d %v", b, end, ok, want, wantOK)
		}
	})
}

// checkFixed compares the decoders of structures without a list.
func checkFixed(t *testing.T, b []byte, word int) {
	t.Helper()
	same := func(what string, ok, want bool, pairs ...uint64) {
		t.Helper()
		if ok != want {
			t.Errorf("%s of %x: %v, want %v", what, b, ok, want)
		}
		for i := 0; want && i < len(pairs); i += 2 {
			if pairs[i] != pairs[i+1] {
				t.Errorf("%s of %x: %d, want %d", what, b, pairs[i], pairs[i+1])
			}
		}
	}
	at := func(at, size int) uint64 { v, _ := number(b, at, size); return v }
	create, exit, ok := decodeTimes(b)
	same("times", ok, len(b) >= 32, create, at(0, 8), exit, at(8, 8))
	basic, ok := decodeBasic(b, word)
	same("basic", ok, len(b) >= 6*word, uint64(basic.exit), at(0, 4), basic.peb, at(word, word), basic.affinity, at(2*word, word))
	wow, ok := decodeWow64(b)
	same("wow64", ok, len(b) >= 8, wow, at(0, 8))
	size, ok := decodeGeometry(b)
	same("geometry", ok, len(b) >= 32, size, at(24, 8))
	count, ok := decodeDiskCount(b)
	same("disks", ok, len(b) >= 4, uint64(count), at(0, 2))
	started, ok := decodeBootTime(b)
	boot, now := at(0, 8), at(8, 8)
	same("boot", ok, len(b) >= 32 && boot >= unixEpoch && boot <= now, started, boot/second*second)
	power, ok := decodePowerStatus(b)
	same("power", ok, len(b) >= 12 && at(1, 1) != 255, uint64(power.line), at(0, 1), uint64(power.percent), at(2, 1), uint64(power.seconds), at(4, 4))
	m, ok := decodeMemory(b, word)
	page := at(10*word, word)
	total, available := at(4*word, word)*page, at(5*word, word)*page
	same("memory", ok, len(b) >= 11*word && page != 0 && total != 0 && available <= total,
		m.total, total, m.available, available, m.committed, at(word, word)*page, m.limit, at(2*word, word)*page)
	if len(b) >= 2*word {
		length, pointer := decodeStringHeader(b, word)
		same("string", true, true, uint64(length), at(0, 2)/2*2, pointer, at(word, word))
	}
}

// checkSample compares the decoders that fill a sample.
func checkSample(t *testing.T, b []byte) {
	t.Helper()
	var s platform.Sample
	want := func(f platform.Field, v uint64) {
		t.Helper()
		if got, ok := s.Get(f); !ok || got != v {
			t.Errorf("%v of %x is %d %v, want %d", f, b, got, ok, v)
		}
	}
	s.Reset(platform.Host, platform.Key{})
	if err := decodePerformance(b, &counting{}, &s); err == nil {
		want(platform.HostContextSwitches, sure(b, 296, 4))
		want(platform.HostFaultsMinor, (sure(b, 60, 4)-sure(b, 84, 4))&0xffffffff)
		want(platform.HostFaultsMajor, sure(b, 84, 4))
		if calls := sure(b, 308, 4); calls != 0 {
			want(platform.HostSystemCalls, calls)
		}
	} else if v, ok := number(b, 296, 16); ok && v&0xffffffff != 0 {
		t.Errorf("%x was refused: %v", b, err)
	}
	s.Reset(platform.Host, platform.Key{})
	if decodeStatistics(b, tcpStatisticsSize, tcpStatistics[:], &s) {
		decodeStatistics(b, tcpStatisticsSize, tcpStatistics[:], &s)
		want(platform.HostTCPActiveOpens, 2*sure(b, 16, 4)&0xffffffff)
		want(platform.HostTCPErrors, 2*sure(b, 48, 4)&0xffffffff)
	} else if len(b) >= 60 {
		t.Errorf("%x was refused", b)
	}
	s.Reset(platform.Disk, platform.Key{})
	const uptime = 1 << 62
	if decodeDisk(b, uptime, &s) {
		want(platform.DiskReadBytes, sure(b, 0, 8))
		want(platform.DiskWriteTime, sure(b, 24, 8)*100)
		want(platform.DiskWrites, sure(b, 44, 4))
		want(platform.DiskPending, sure(b, 48, 4))
		if idle := sure(b, 32, 8) * 100; idle != 0 && idle <= uptime {
			want(platform.DiskIOTime, uptime-idle)
		}
	} else if len(b) >= 52 {
		t.Errorf("%x was refused", b)
	}
}

// checkLists compares the decoders of lists.
func checkLists(t *testing.T, b []byte, word int) {
	t.Helper()
	cores, ok := decodeCores(b)
	if want, wantOK := slowCores(b); ok != wantOK || ok && cores != want {
		t.Errorf("%x: %d cores %v, want %d %v", b, cores, ok, want, wantOK)
	}
	for i, c := range decodeProcessors(b, 64, nil) {
		at := i * 48
		if c.id != uint64(64+i) || c.idle != sure(b, at, 8) || c.user != sure(b, at+16, 8) || c.interrupts != uint32(sure(b, at+40, 4)) {
			t.Errorf("%x: %+v", b, c)
		}
	}
	var deferred uint64
	for at := 0; at+24 <= len(b); at += 24 {
		deferred += sure(b, at+4, 4)
	}
	if sum := decodeDeferred(b); uint64(sum) != deferred&0xffffffff {
		t.Errorf("%x: %d deferred calls, want %d", b, sum, deferred)
	}
	for cpu := range uint64(4) {
		nominal, mhz, ok := decodePower(b, cpu)
		v, has := number(b, int(cpu)*24+8, 4)
		if _, all := number(b, int(cpu)*24, 24); ok && (!all || !has || uint64(mhz) != v || uint64(nominal) != sure(b, int(cpu)*24+4, 4) || sure(b, int(cpu)*24, 4) != cpu) {
			t.Errorf("%x: CPU %d has %d MHz", b, cpu, mhz)
		}
	}
	for table := range socketTables {
		row, n := &socketRows[table], uint64(0)
		whole := decodeSockets(b, row, func(r []byte) { n++; sure(r, row.pid, 4) })
		if count, has := number(b, 0, 4); whole != (has && 4+count*uint64(row.size) <= uint64(len(b))) || whole && n != count {
			t.Errorf("%x: %d rows of table %d, whole %v", b, n, table, whole)
		}
	}
	checkDetails(t, b, word)
	checkMemory(t, b, word)
	checkServices(t, b, word)
	checkServiceConfig(t, b, word)
	n := 0
	whole := decodeInterfaces(b, func(row ifRow) bool { n++; _ = row.alias(); return len(row) == 1352 })
	if count, has := number(b, 0, 4); whole != (has && len(b) >= 8 && 8+count*1352 <= uint64(len(b))) {
		t.Errorf("%d bytes: %d interfaces, whole %v", len(b), n, whole)
	}
	checkPageFiles(t, b, word)
	if got, ok := decodeUnicodeString(b, tableBase, word); ok && len(got) > 0 {
		length, pointer := int(sure(b, 0, 2)), sure(b, word, word)
		if at := int(pointer - tableBase); !bytes.Equal(got, b[at:at+length]) {
			t.Errorf("%x: %x", b, got)
		}
	}
}

// checkDetails compares the decoders of details.
func checkDetails(t *testing.T, b []byte, word int) {
	t.Helper()
	class, ok := decodeIOPriority(b)
	if v, has := number(b, 0, 4); ok != (has && v < 5) || ok && class != [...]string{"very_low", "low", "normal", "high", "critical"}[v] {
		t.Errorf("%x: priority %q %v", b, class, ok)
	}
	priority, ok := decodePriority(b)
	if want := len(b) >= 2 && b[1] >= 1 && b[1] <= 6; ok != want || ok && priority != strings.Fields("idle normal high realtime below_normal above_normal")[b[1]-1] {
		t.Errorf("%x: priority %q %v", b, priority, ok)
	}
	checkGroups(t, b, word)
	var handles, want []uint64
	whole := decodeHandles(b, word, 4711, func(h uint64) { handles = append(handles, h) })
	count, has := number(b, 0, word)
	size := 3*word + 16
	if wantWhole := has && len(b) >= 2*word && count <= uint64((len(b)-2*word)/size); whole != wantWhole {
		t.Errorf("%x: handles whole %v", b, whole)
	}
	for i := 0; whole && i < int(count); i++ {
		if at := 2*word + i*size; sure(b, at+word, word) == 4711 {
			want = append(want, sure(b, at+2*word, word))
		}
	}
	if !slices.Equal(handles, want) {
		t.Errorf("%x: handles %v, want %v", b, handles, want)
	}
	n := 0
	whole = decodeAddresses(b, func(index uint32, a platform.Address) {
		n++
		if !a.IP.IsValid() {
			t.Errorf("%x: %v", b, a)
		}
	})
	if count, has := number(b, 0, 4); whole != (has && len(b) >= 8 && 8+count*80 <= uint64(len(b))) {
		t.Errorf("%d bytes: %d addresses, whole %v", len(b), n, whole)
	}
	for table := range socketTables {
		if row := &socketRows[table]; len(b) >= row.size {
			checkConnection(t, b[:row.size], row, table)
		}
	}
}

// checkMemory compares the decoders of what is in an address space.
func checkMemory(t *testing.T, b []byte, word int) {
	t.Helper()
	x, ok := decodeRegion(b, word)
	length, has := number(b, 3*word, word)
	base := 4 * word // where the numbers of 32 bits begin
	kind, all := number(b, base+8, 4)
	start, _ := number(b, 0, word)
	if want := has && all && len(b) >= map[int]int{8: 48, 4: 28}[word] && start+length > start; ok != want {
		t.Errorf("%x: region %v, want %v", b, ok, want)
	}
	if ok && (x.base != start || x.end != start+length || x.allocation != sure(b, word, word) || uint64(x.kind) != kind ||
		uint64(x.state) != sure(b, base, 4) || uint64(x.protection) != sure(b, base+4, 4)) {
		t.Errorf("%x: %+v", b, x)
	}
	var want pages
	for at := 0; at+2*word <= len(b); at += 2 * word {
		low := sure(b, at+word, 2)
		if low%2 == 1 {
			want.resident++
			if low < 1<<15 || low/2%8 < 2 {
				want.unique++
			}
		}
	}
	if p := decodePages(b, word); p != want {
		t.Errorf("%x: %+v, want %+v", b, p, want)
	}
}

func checkGroups(t *testing.T, b []byte, word int) {
	t.Helper()
	masks, ok := decodeGroups(b, word)
	relation, _ := number(b, 0, 4)
	count, has := number(b, 10, 2)
	if want := has && relation == 4 && count > 0 && len(b) >= 32+int(count)*(40+word); ok != want || ok && len(masks) != int(count) {
		t.Errorf("%x: groups %v %v", b, masks, ok)
	}
	for i, mask := range masks {
		if mask != sure(b, 32+i*(40+word)+40, word) {
			t.Errorf("%x: group %d has %#x", b, i, mask)
		}
	}
	for i, group := range decodeProcessGroups(b) {
		if uint64(group) != sure(b, 2*i, 2) {
			t.Errorf("%x: group %d is %d", b, i, group)
		}
	}
	if n := len(decodeProcessGroups(b)); n != len(b)/2 {
		t.Errorf("%x: %d groups", b, n)
	}
}

func checkConnection(t *testing.T, b []byte, row *socketRow, table SocketTable) {
	t.Helper()
	c := decodeConnection(b, row, table)
	if a := decodeAddress(b, row, row.local, row.localPort); c.Local != a || !c.Local.Addr().IsValid() || c.Local.Port() != uint16(b[row.localPort])<<8|uint16(b[row.localPort+1]) {
		t.Errorf("%x: %v", b, c.Local)
	}
	if udp := row.state < 0; udp != (c.Type == platform.TypeDatagram) || udp && c.Peer.IsValid() {
		t.Errorf("%x: %+v", b, c)
	}
}

func checkPageFiles(t *testing.T, b []byte, word int) {
	t.Helper()
	var got []string
	var total uint64
	whole := decodePageFiles(b, tableBase, word, func(f pageFile) bool {
		got, total = append(got, string(text.AppendUTF16(nil, f.name))), total+f.total
		return true
	})
	names, want, wantWhole := slowPageFiles(b, tableBase, word)
	same := slices.EqualFunc(got, names, func(a, b string) bool { return a == b || strings.ContainsRune(b, '\uFFFD') })
	if whole != wantWhole || total != want || !same {
		t.Errorf("%x: page files %q of %d, %v, want %q of %d, %v", b, got, total, whole, names, want, wantWhole)
	}
}

// answersOfWorld are all answers of a made-up Windows.
func answersOfWorld(word int) (all [][]byte) {
	w := newWorld(word)
	for _, b := range w.answers {
		all = append(all, b)
	}
	for _, b := range w.tables {
		all = append(all, b)
	}
	for _, b := range w.statistics {
		all = append(all, b)
	}
	b := processorBytes(w.processors[0])
	return append(all, b, w.handles(), w.addresses(), w.groups(), w.services(0), w.scm.services[0].config(word), w.scm.services[0].describe(word), w.interfaces, w.pageFiles(`\??\C:\pagefile.sys`, `\??\D:\p`), diskPerformance(1),
		unicodeString(word, wide("svchost.exe")), put(nil, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), []byte{})
}

func checkStructures(t *testing.T, b []byte) {
	t.Helper()
	for _, word := range []int{8, 4} {
		checkFixed(t, b, word)
		checkLists(t, b, word)
	}
	checkSample(t, b)
}

// Cut off anywhere, no structure is read beyond its end.
func TestStructuresCutOff(t *testing.T) {
	for _, word := range []int{8, 4} {
		for _, b := range answersOfWorld(word) {
			for n := range len(b) + 1 {
				checkStructures(t, bytes.Clone(b[:n]))
			}
		}
	}
}

func FuzzStructures(f *testing.F) {
	for _, word := range []int{8, 4} {
		for _, b := range answersOfWorld(word) {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkStructures(t, b) })
}
