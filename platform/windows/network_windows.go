package windows

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/pidometer/pidometer/internal/layout"
)

// Interfaces copies the table, which the call allocates, so that it is read like any
// other answer.
func (realKernel) Interfaces(buf []byte) (int, error) {
	var table *windows.MibIfTable2
	if err := windows.GetIfTable2Ex(windows.MibIfTableNormal, &table); err != nil {
		return 0, standard(err)
	}
	defer freeMibTable.Call(uintptr(unsafe.Pointer(table)))
	n := ifTableRows + int(table.NumEntries)*ifRowSize
	if n <= len(buf) {
		copy(buf, unsafe.Slice((*byte)(unsafe.Pointer(table)), n))
	}
	return n, nil
}

// Addresses copies the table, as Interfaces does.
func (realKernel) Addresses(buf []byte) (int, error) {
	var table *byte
	code, _, _ := getUnicastTable.Call(windows.AF_UNSPEC, uintptr(unsafe.Pointer(&table)))
	if code != 0 {
		return 0, standard(windows.Errno(code))
	}
	defer freeMibTable.Call(uintptr(unsafe.Pointer(table)))
	n := addressRows + int(*(*uint32)(unsafe.Pointer(table)))*addressSize
	if n <= len(buf) {
		copy(buf, unsafe.Slice(table, n))
	}
	return n, nil
}

// Tables of sockets with the PID of the owner (TCP_TABLE_CLASS and UDP_TABLE_CLASS).
const (
	tcpOwnerPIDAll = 5
	udpOwnerPID    = 1
)

func (realKernel) Sockets(table SocketTable, buf []byte) (int, error) {
	call, class, family := getExtendedTCPTable, tcpOwnerPIDAll, windows.AF_INET
	if table == UDP4 || table == UDP6 {
		call, class = getExtendedUDPTable, udpOwnerPID
	}
	if table == TCP6 || table == UDP6 {
		family = windows.AF_INET6
	}
	n := uint32(len(buf))
	code, _, _ := call.Call(uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(unsafe.Pointer(&n)), 0,
		uintptr(family), uintptr(class), 0)
	if err := windows.Errno(code); code != 0 {
		return filled(n, len(buf), err)
	}
	if len(buf) < 4 {
		return 4, nil
	}
	return min(4+int(layout.U32(buf, 0))*socketRows[table].size, len(buf)), nil
}

func (realKernel) Statistics(table StatisticsTable, buf []byte) error {
	call, family := getTCPStatisticsEx, windows.AF_INET
	switch table {
	case StatisticsUDP4, StatisticsUDP6:
		call = getUDPStatisticsEx
	case StatisticsIP4, StatisticsIP6:
		call = getIPStatisticsEx
	}
	if table == StatisticsTCP6 || table == StatisticsUDP6 || table == StatisticsIP6 {
		family = windows.AF_INET6
	}
	if err := call.Find(); err != nil {
		return errors.ErrUnsupported
	}
	code, _, _ := call.Call(uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(family))
	if code != 0 {
		return standard(windows.Errno(code))
	}
	return nil
}
