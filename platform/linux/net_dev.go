package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeInterface reads one line of /proc/net/dev into s and returns the name of
// the interface. Old kernels print no blank after the colon, and an alias has a
// colon in its name. dev_seq_printf_stats in net/core/net-procfs.c has the
// columns:
//
//	Inter-|   Receive                                                |  Transmit
//	 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
//	  eth0: 34453406    2514    0    0    0     0          0         0   208990    1931    0    0    0     0       0          0
func decodeInterface(line []byte, s *platform.Sample) (name []byte, ok bool) {
	colon := bytes.LastIndexByte(line, ':')
	if colon < 0 {
		return nil, false
	}
	name = text.Trim(line[:colon])
	if len(name) == 0 {
		return nil, false
	}
	columns := line[colon+1:]
	for i := range 12 {
		v, rest, ok := text.UintField(columns)
		if !ok {
			break
		}
		if f, ok := interfaceColumn(i); ok {
			s.Set(f, v)
		}
		columns = rest
	}
	return name, true
}

func interfaceColumn(i int) (f platform.Field, ok bool) {
	switch i {
	case 0:
		return platform.NetworkReceiveBytes, true
	case 1:
		return platform.NetworkReceivePackets, true
	case 2:
		return platform.NetworkReceiveErrors, true
	case 3:
		return platform.NetworkReceiveDropped, true
	case 8:
		return platform.NetworkTransmitBytes, true
	case 9:
		return platform.NetworkTransmitPackets, true
	case 10:
		return platform.NetworkTransmitErrors, true
	case 11:
		return platform.NetworkTransmitDropped, true
	}
	return 0, false
}
