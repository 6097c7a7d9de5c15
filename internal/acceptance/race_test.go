//go:build race

package acceptance_test

// buildFlags builds the binaries as this suite was built: under -race they watch themselves too.
var buildFlags = []string{"-race"}

// memoryFactor is what the race detector multiplies a program's memory by (measured: 3.6), with room to spare.
const memoryFactor = 5
