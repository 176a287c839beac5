//go:build linux || windows

package main_test

import "github.com/pidometer/pidometer/internal/otlptest"

// executables returns the names of all processes in the requests.
func executables(requests []*otlptest.Request) map[string]bool {
	names := map[string]bool{}
	for _, p := range otlptest.Numbers(requests, "process.cpu.time") {
		for _, a := range p.GetAttributes() {
			if a.GetKey() == "process.executable.name" {
				names[a.GetValue().GetStringValue()] = true
			}
		}
	}
	return names
}
