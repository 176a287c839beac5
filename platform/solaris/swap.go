package solaris

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Commands of swapctl(2), and offsets in its swaptbl_t and swapent_t (sys/swap.h): how many
// areas, and each with the address of room for its path. Counts are pages.
const (
	swapList   = 2 // SC_LIST
	swapCount  = 4 // SC_GETNSWP
	swapHead   = 8
	swapSize   = 48
	swapPages  = 24
	swapFree   = 32
	pathRoom   = 1024 // MAXPATHLEN of sys/param.h
	swapSpare  = 4    // for areas that come meanwhile
	mostAreas  = 4096
	serialRoom = 257
	infoSerial = 7 // SI_HW_SERIAL of sys/systeminfo.h
)

func swapSource() platform.Source {
	return level("swapctl", platform.Swap, 10, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
}

// area is a swap area.
type area struct {
	path        string
	pages, free uint64
}

// sendSwaps hands on each area. A machine may have none.
func (p *pass) sendSwaps() error {
	count, err := p.kernel.Swap(swapCount, nil)
	if err != nil {
		return err
	}
	if count < 0 || count > mostAreas {
		return errContent
	}
	room := count + swapSpare
	paths := swapHead + room*swapSize
	b := make([]byte, paths+room*pathRoom)
	layout.PutWord(b, 0, 4, uint64(room))
	for i := range room {
		layout.PutWord(b, swapHead+i*swapSize, 8, address(b[paths+i*pathRoom:]))
	}
	count, err = p.kernel.Swap(swapList, b)
	runtime.KeepAlive(b)
	if err != nil {
		return err
	}
	if count < 0 || count > room {
		return errContent
	}
	for _, a := range decodeAreas(b[:paths], b[paths:], count) {
		p.sample.Reset(platform.Swap, platform.Key{Name: a.path})
		p.sample.Set(platform.SwapTotal, a.pages*page)
		p.sample.Set(platform.SwapFree, a.free*page)
		p.sample.Set(platform.SwapUsed, (max(a.pages, a.free)-a.free)*page)
		if err := p.hand(); err != nil {
			return err
		}
	}
	return nil
}

// decodeAreas reads the areas of a table, whose paths lie behind one another.
func decodeAreas(table, paths []byte, count int) (areas []area) {
	for i := range count {
		b := table[swapHead+i*swapSize:]
		areas = append(areas, area{string(cString(paths[i*pathRoom : (i+1)*pathRoom])), layout.U64(b, swapPages), layout.U64(b, swapFree)})
	}
	return areas
}

// serialSource is the number that hostid(1) shows, in decimal digits.
func serialSource() platform.Source {
	return platform.Source{Name: "sysinfo, SI_HW_SERIAL", Entity: platform.Host, Cost: 2, Texts: []platform.Text{platform.HostID}}
}

// readSerial reads the number of the machine. 0 is none.
func (p *pass) readSerial() error {
	var b [serialRoom]byte
	n, err := p.kernel.Info(infoSerial, b[:])
	if err != nil {
		return err
	}
	if n < 0 || n > len(b) {
		return fmt.Errorf("a serial number of %d bytes: %w", n, errContent)
	}
	if serial := strings.TrimSpace(string(cString(b[:n]))); serial != "0" {
		p.setText(platform.HostID, serial)
	}
	return nil
}
