//go:build race

package openbsd

// worlds are fewer under the race detector, which takes ten times as long.
const worlds = 50
