// Command pidometer shows what this host and its processes do, on the terminal
// or as OpenTelemetry metrics to an OTLP endpoint. See pidometer help.
package main

import (
	"os"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/command"
)

func main() {
	end := command.Main(command.System(), os.Args[1:])
	if end.Final != nil {
		end.Final()
	}
	os.Exit(end.Code)
}
