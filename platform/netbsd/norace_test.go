//go:build !race

package netbsd

// worlds is how many are simulated.
const worlds = 1000
