//go:build !race

package windows_test

// worlds are simulated, unless a flag says how many.
const worlds = 1000
