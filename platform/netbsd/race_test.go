//go:build race

package netbsd

// worlds are fewer under the race detector, which takes ten times as long.
const worlds = 50
