// Command wine makes an installation of Wine fit to run Go programs: it writes the
// library bcryptprimitives.dll, which the Go runtime takes random numbers from and
// Wine lacks before version 9.
//
//	go run ./internal/wine FOLDER
//
// The folder is drive_c/windows/system32 of the prefix.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "wine: usage: wine FOLDER, the windows/system32 of a prefix")
		os.Exit(2)
	}
	if err := os.WriteFile(filepath.Join(os.Args[1], libraryName), library(), 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "wine:", err)
		os.Exit(1)
	}
}
