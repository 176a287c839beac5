//go:build !race

package solaris

// worlds are simulated, unless a flag says how many.
const worlds = 1000
