//go:build !race

package openbsd

// worlds is how many are simulated.
const worlds = 1000
