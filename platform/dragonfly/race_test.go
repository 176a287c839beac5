//go:build race

package dragonfly

// worlds are simulated: under the race detector, which takes ten times as long, fewer.
const worlds = 50
