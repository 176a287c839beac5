package windows

import (
	"encoding/binary"
)

// The calls of a [world].

func (w *world) Word() int                 { return w.word }
func (w *world) Machine() uint16           { return 9 }
func (w *world) Pid() uint64               { return w.self }
func (w *world) Clocks() (uint64, uint64)  { return w.now, (w.now - w.boot) * tickNanos }
func (w *world) Address(buf []byte) uint64 { return tableBase }

func (w *world) System(class int32, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("System"); err != nil {
		return 0, err
	}
	switch class {
	case classProcesses:
		return answer(buf, w.table())
	case classTimeOfDay:
		b := binary.LittleEndian.AppendUint64(nil, w.boot)
		b = append(binary.LittleEndian.AppendUint64(b, w.now), make([]byte, 32)...)
		if len(buf) > len(b) {
			return 2 * len(buf), nil // as Windows does
		}
		return copy(buf, b), nil
	case classProcessorPerformance:
		return answer(buf, processorBytes(w.processors[0]))
	case classHandles:
		return answer(buf, w.handles())
	case classPageFiles:
		return answer(buf, w.pageFiles(`\??\C:\pagefile.sys`, `\??\D:\pagefile.sys`))
	}
	if b, ok := w.answers[class]; ok {
		return answer(buf, b)
	}
	return 0, errAbsent
}

func processorBytes(group []processor) (b []byte) {
	for _, c := range group {
		for _, v := range []uint64{c.idle, c.kernel, c.user, c.deferred, c.interrupt, uint64(c.interrupts)} {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	return b
}

func (w *world) pageFiles(names ...string) (b []byte) {
	for i, name := range names {
		at := len(b)
		b = append(b, make([]byte, 16+2*w.word)...)
		binary.LittleEndian.PutUint32(b[at+4:], 1000)
		binary.LittleEndian.PutUint32(b[at+8:], 250)
		binary.LittleEndian.PutUint16(b[at+16:], uint16(2*len(name)))
		putWord(b[at+16+w.word:], w.word, tableBase+uint64(len(b)))
		for _, u := range wide(name) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		b = append(b, make([]byte, -len(b)&7)...)
		if i < len(names)-1 {
			binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at))
		}
	}
	return b
}

func (w *world) SystemEx(class int32, input, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("SystemEx"); err != nil || w.noGroups {
		return 0, errAbsent
	}
	if class == classProcessorPerformance {
		group := int(binary.LittleEndian.Uint16(input))
		if group >= len(w.processors) {
			return 0, errAbsent
		}
		return answer(buf, processorBytes(w.processors[group]))
	}
	if class == classInterrupts {
		group := int(binary.LittleEndian.Uint16(input))
		if group >= len(w.processors) {
			return 0, errAbsent
		}
		var b []byte
		for range w.processors[group] {
			b = put(b, 9, 1<<31+7, 9, 9, 9, 9)
		}
		return answer(buf, b)
	}
	if class == classLogicalProcessors && binary.LittleEndian.Uint32(input) == relationGroup {
		return answer(buf, w.groups())
	}
	return answer(buf, w.answers[class])
}

// groups are as many as there are CPUs for.
func (w *world) groups() []byte {
	b := make([]byte, groupsFirst)
	binary.LittleEndian.PutUint32(b, relationGroup)
	binary.LittleEndian.PutUint16(b[groupsActive:], uint16(len(w.processors)))
	for _, group := range w.processors {
		b = append(b, make([]byte, groupMask+w.word)...)
		putWord(b[len(b)-w.word:], w.word, 1<<len(group)-1)
	}
	return b
}

func (w *world) Performance(buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range []uint64{0, 3000, 9000, 0, 8000, 5000, 0, 0, 0, 0, 4096} {
		putWord(buf[i*w.word:], w.word, v)
	}
	return w.call("Performance")
}

func (w *world) Power(level int32, buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	copy(buf, put(nil, 0, 3600, 2400, 3600, 0, 0, 1, 3600, 2400, 3600, 0, 0))
	return w.call("Power")
}

func (w *world) PowerStatus(buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	copy(buf, w.power)
	return w.call("PowerStatus")
}

func (w *world) Version() (major, minor, build uint32) { return 10, 0, w.build }
func (w *world) HostName() (string, error)             { return "ada-pc", w.fail["HostName"] }

func (w *world) Registry(key, value string) (string, error) {
	return w.registry[key+`\`+value], w.fail["Registry"]
}

func (w *world) Interfaces(buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Interfaces"); err != nil {
		return 0, err
	}
	return answer(buf, w.interfaces)
}

func (w *world) Sockets(table SocketTable, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Sockets"); err != nil {
		return 0, err
	}
	if b, ok := w.tables[table]; ok {
		return answer(buf, b)
	}
	return 0, errAbsent
}

func (w *world) Statistics(table StatisticsTable, buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	copy(buf, w.statistics[table])
	return w.call("Statistics")
}

func (w *world) Sessions() ([]Session, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions, w.call("Sessions")
}

func (w *world) handle(pid uint64) Handle {
	w.last += 4
	w.open[w.last] = pid
	return w.last
}

func (w *world) OpenDisk(number int) (Handle, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("OpenDisk"); err != nil {
		return 0, err
	}
	if w.disks[number] == nil {
		return 0, errNoFile
	}
	return w.handle(uint64(number)), nil
}

func (w *world) Control(h Handle, code uint32, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Control"); err != nil {
		return 0, err
	}
	return answer(buf, w.disks[int(w.open[h])][code])
}

func (w *world) Drives() ([]Drive, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.drives, w.call("Drives")
}

func (w *world) Volume(root string) (Volume, error) {
	if w.hang != nil {
		<-w.hang
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.volumes[root], w.call("Volume")
}

func (w *world) Open(pid uint64, access uint32) (Handle, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Open"); err != nil {
		return 0, err
	}
	t, err := w.find(pid)
	if err != nil {
		return 0, err
	}
	if t.denied {
		return 0, errRefused
	}
	return w.handle(pid), nil
}

func (w *world) Close(h Handle) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.open[h]; !ok {
		panic("a handle was closed twice")
	}
	delete(w.open, h)
	return w.call("Close")
}

func (w *world) Process(h Handle, class int32, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Process"); err != nil {
		return 0, err
	}
	t := w.ofHandle(h)
	switch class {
	case classTimes:
		b := make([]byte, timesSize)
		binary.LittleEndian.PutUint64(b, t.create)
		if t.ended {
			binary.LittleEndian.PutUint64(b[8:], w.now)
		}
		return answer(buf, b)
	case classBasic:
		b := make([]byte, 6*w.word)
		binary.LittleEndian.PutUint32(b, t.exit)
		putWord(b[w.word:], w.word, pebAt)
		putWord(b[2*w.word:], w.word, 0b1011)
		return answer(buf, b)
	case classWow64:
		b := make([]byte, 8)
		if t.wow64 {
			binary.LittleEndian.PutUint64(b, pebAt)
		}
		return answer(buf, b)
	case classImageWin32:
		return answer(buf, unicodeString(w.word, wide(t.image)))
	case classPriority:
		return answer(buf, []byte{1, 6})
	case classGroups:
		b := []byte{}
		for _, group := range t.groups {
			b = binary.LittleEndian.AppendUint16(b, group)
		}
		return answer(buf, b)
	case classIOPriority:
		return answer(buf, put(nil, 2))
	case classCommandLine:
		if w.noGroups { // as old as a Windows without it
			return 0, errAbsent
		}
		return answer(buf, unicodeString(w.word, t.line))
	}
	return 0, errAbsent
}

// unicodeString is a UNICODE_STRING at tableBase, with its characters behind it.
func unicodeString(word int, s []uint16) []byte {
	b := make([]byte, 2*word)
	binary.LittleEndian.PutUint16(b, uint16(2*len(s)))
	putWord(b[word:], word, tableBase+uint64(2*word))
	for _, u := range s {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// Where a process of a world keeps what it was started with.
const (
	pebAt         = 0x7ff000
	parametersAt  = 0x100000
	lineAt        = 0x200000
	directoryAt   = 0x300000
	environmentAt = 0x400ff0 // the second page is read too
)

func (w *world) Memory(h Handle, address uint64, buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Memory"); err != nil {
		return err
	}
	if w.partial > 0 {
		w.partial--
		return ErrPartial
	}
	t := w.ofHandle(h)
	word := w.word
	if t.wow64 {
		word = 4
	}
	for from, content := range t.memory(word) {
		if address >= from && address+uint64(len(buf)) <= from+uint64(len(content)) {
			copy(buf, content[address-from:])
			return nil
		}
	}
	return ErrPartial
}

// memory is the process's memory, by address.
func (t *task) memory(word int) map[uint64][]byte {
	l := parametersLayouts[word]
	peb := make([]byte, l.parameters+word)
	putWord(peb[l.parameters:], word, parametersAt)
	p := make([]byte, l.size)
	directory := wide(`C:\Windows\`)
	for at, s := range map[int]struct {
		length  int
		address uint64
	}{l.directory: {2 * len(directory), directoryAt}, l.commandLine: {2 * len(t.line), lineAt}} {
		putWord(p[at:], 2, uint64(s.length))
		putWord(p[at+word:], word, s.address)
	}
	putWord(p[l.environment:], word, environmentAt)
	environment := units(t.environment)
	environment = append(environment, make([]byte, 2*pageSize-(len(environment)+environmentAt)%pageSize)...)
	return map[uint64][]byte{pebAt: peb, parametersAt: p, lineAt: units(t.line), directoryAt: units(directory), environmentAt: environment}
}

func units(s []uint16) (b []byte) {
	for _, u := range s {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func (w *world) File(process Handle, handle uint64) (string, error) {
	if w.hang != nil {
		<-w.hang
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if handle == 8 {
		return `C:\data.txt`, w.call("File")
	}
	return "", errAbsent
}

func (w *world) Addresses(buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Addresses"); err != nil {
		return 0, err
	}
	return answer(buf, w.addresses())
}

// addresses is a table of an IPv4 and an IPv6 address of the first interface, and of
// one of a family that nobody knows.
func (w *world) addresses() []byte {
	rows := make([]byte, 3*addressSize)
	copy(rows, []byte{familyInet, 0, 0, 0, 192, 0, 2, 7})
	copy(rows[addressSize:], []byte{familyInet6, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80})
	rows[addressPrefix], rows[addressSize+addressPrefix] = 24, 64
	return append(put(nil, 3, 0), rows...)
}

// handles is the table of all handles: two of each process, one of which is a file.
func (w *world) handles() []byte {
	b := make([]byte, 2*w.word)
	putWord(b, w.word, uint64(2*len(w.tasks)))
	for _, t := range w.tasks {
		for _, value := range []uint64{8, 4} {
			row := make([]byte, 3*w.word+handleNumbers)
			putWord(row[w.word:], w.word, t.pid)
			putWord(row[2*w.word:], w.word, value)
			b = append(b, row...)
		}
	}
	return b
}

func (w *world) Owner(h Handle) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ofHandle(h).owner, w.call("Owner")
}
