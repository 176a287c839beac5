//go:build !race

package windows

// worlds are simulated, unless a flag says how many: each call has all of Windows' tables made anew.
const worlds = 200
