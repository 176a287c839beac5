package linux

import "strings"

// hostArch is OpenTelemetry's host.arch for the kernel's name of a machine type,
// which stays itself where the two have no different words.
func hostArch(machine string) string {
	switch {
	case machine == "x86_64":
		return "amd64"
	case machine == "aarch64":
		return "arm64"
	case len(machine) == 4 && machine[0] == 'i' && machine[2:] == "86":
		return "x86"
	case strings.HasPrefix(machine, "armv"):
		return "arm32"
	case machine == "ppc64le":
		return "ppc64"
	}
	return machine
}
