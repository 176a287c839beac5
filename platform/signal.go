package platform

import "strconv"

// linuxSignals are the names by number (signal(7), the x86 and ARM column; Linux 6.18,
// include/uapi/asm-generic/signal.h).
var linuxSignals = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
	"PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
	"PROF", "WINCH", "IO", "PWR", "SYS"}

// bsdSignals are those of 4.4BSD, which FreeBSD, OpenBSD, NetBSD and macOS kept
// (sys/signal.h of each).
var bsdSignals = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS",
	"PIPE", "ALRM", "TERM", "URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM",
	"PROF", "WINCH", "INFO", "USR1", "USR2"}

// sunSignals are those of System V (illumos, sys/iso/signal_iso.h).
var sunSignals = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS",
	"PIPE", "ALRM", "TERM", "USR1", "USR2", "CLD", "PWR", "WINCH", "URG", "POLL", "STOP", "TSTP", "CONT", "TTIN", "TTOU",
	"VTALRM", "PROF", "XCPU", "XFSZ"}

// SignalName returns the name of a signal, such as SIGSEGV, by its number on an
// operating system, which is written as GOOS is. One without a name is SIG and its
// number; 0 and less is "".
func SignalName(goos string, number int) string {
	names := bsdSignals[:]
	switch goos {
	case "linux":
		names = linuxSignals[:]
	case "illumos", "solaris":
		names = sunSignals[:]
	}
	switch {
	case number <= 0:
		return ""
	case number < len(names):
		return "SIG" + names[number]
	}
	return "SIG" + strconv.Itoa(number)
}
