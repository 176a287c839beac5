package windows

import "io"

// The calls of a [world] about one process.

func (w *world) Event() (Handle, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Event"); err != nil {
		return 0, err
	}
	h := w.handle(0)
	w.events[h] = make(chan struct{})
	return h, nil
}

func (w *world) Signal(event Handle) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.events[event])
	return w.call("Signal")
}

func (w *world) Wait(process, event Handle) (ended bool, err error) {
	w.mu.Lock()
	exited, stop := w.ofHandle(process).exited, w.events[event]
	err = w.call("Wait")
	w.mu.Unlock()
	if w.atWait != nil {
		w.atWait()
	}
	if err != nil {
		return false, err
	}
	select {
	case <-exited:
		return true, nil
	case <-stop:
		return false, nil
	}
}

func (w *world) DosDevice(drive string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return `\Device\HarddiskVolume` + drive[:1], w.call("DosDevice")
}

func (w *world) Image(pid uint64, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Image"); err != nil {
		return 0, err
	}
	t, err := w.find(pid)
	if err != nil {
		return 0, err
	}
	return answer(buf, units(t.nativeImage))
}

// regionsOfWorld are those of every process: free, an image of a program in two parts, a private
// one with a page that is not in memory, shared memory, a file, one that is reserved.
var regionsOfWorld = []struct {
	base, length, allocation uint64
	state, protection, kind  uint32
	bits                     []uint64 // of its pages
	file                     string
}{
	{base: 0, length: 0x10000, state: 0x10000},
	{0x10000, 0x2000, 0x10000, memoryCommitted, pageExecuteRead, memoryImage, []uint64{pageValid | pageShareable | 1<<1, pageValid | pageShareable | 5<<1}, `\Device\HarddiskVolumeC\a.exe`},
	{0x12000, 0x1000, 0x10000, memoryCommitted, pageWriteCopy, memoryImage, []uint64{pageValid | 1<<1}, `\Device\HarddiskVolumeC\a.exe`},
	{0x13000, 0x2000, 0x13000, memoryCommitted, pageReadWrite, 0x20000, []uint64{pageValid, 0}, ""},
	{0x15000, 0x1000, 0x15000, memoryCommitted, pageReadWrite, memoryMapped, []uint64{pageValid | pageShareable | 7<<1}, ""},
	{0x16000, 0x1000, 0x16000, memoryCommitted, pageReadOnly, memoryMapped, []uint64{0}, `\Device\Mup\server\share\b`},
	{0x17000, 0x1000, 0x17000, 0x2000, 0, 0x20000, nil, ""},
}

func (w *world) Region(h Handle, address uint64, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Region"); err != nil {
		return 0, err
	}
	if w.atRegion != nil {
		w.atRegion()
	}
	l := regionLayouts[w.word]
	for _, x := range regionsOfWorld {
		if address >= x.base && address < x.base+x.length {
			b := make([]byte, l.size)
			for at, v := range map[int]uint64{l.base: x.base, l.allocation: x.allocation, l.length: x.length} {
				putWord(b[at:], w.word, v)
			}
			for at, v := range map[int]uint32{l.state: x.state, l.protection: x.protection, l.kind: x.kind} {
				putWord(b[at:], 4, uint64(v))
			}
			return answer(buf, b)
		}
	}
	return 0, io.EOF
}

func (w *world) MappedFile(h Handle, address uint64, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("MappedFile"); err != nil {
		return 0, err
	}
	for _, x := range regionsOfWorld {
		if address == x.base && x.file != "" {
			return answer(buf, units(wide(x.file)))
		}
	}
	return 0, errAbsent
}

func (w *world) WorkingSet(h Handle, buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("WorkingSet"); err != nil {
		return err
	}
	w.now += w.dear
	for at := 0; at < len(buf); at += 2 * w.word {
		page, _ := number(buf, at, w.word)
		for _, x := range regionsOfWorld {
			if page >= x.base && page < x.base+x.length {
				putWord(buf[at+w.word:], w.word, x.bits[(page-x.base)/pageSize])
			}
		}
	}
	return nil
}
