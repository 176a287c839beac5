//go:build race

package oneshot

const raceEnabled = true
