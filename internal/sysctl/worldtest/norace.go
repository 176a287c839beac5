//go:build !race

package worldtest

// worlds are simulated, unless a flag says how many.
const worlds = 1000
