//go:build !race

package linux

// worlds are simulated, unless a flag says how many.
const worlds = 1000
