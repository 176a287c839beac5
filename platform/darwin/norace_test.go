//go:build !race

package darwin

// worlds are simulated, unless a flag says how many.
const worlds = 1000
