//go:build !race

package dragonfly

// worlds are simulated, unless a flag says how many.
const worlds = 1000
