package exporter

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit ends the process as the results of [Run] say, and never returns: with
// status 1 and the error on standard error if the flush failed, by the signal
// itself if there was one, so that whoever waits sees why, and else with status 0.
// As PID 1, which no signal kills, and on Windows, which has none, the status is
// 128 plus the signal's number, as shells write it. All handlers of the signal are
// dropped, so only main should call this. Deferred functions do not run.
func Exit(sig os.Signal, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "exit:", oneLine(err))
		os.Exit(1)
	}
	if sig == nil {
		os.Exit(0)
	}
	if os.Getpid() != 1 {
		signal.Reset(sig)
		raise(sig)
	}
	os.Exit(exitStatus(sig))
}

func exitStatus(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return 1
}
