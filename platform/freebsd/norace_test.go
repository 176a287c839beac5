//go:build !race

package freebsd

// worlds are simulated, unless a flag says how many.
const worlds = 1000
