//go:build !race

package acceptance_test

var buildFlags []string

// memoryFactor is for the race detector, which is not here.
const memoryFactor = 1
