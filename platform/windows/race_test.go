//go:build race

package windows_test

// worlds are simulated: under the race detector, which takes ten times as long, fewer.
const worlds = 15
