//go:build race

package acceptance_test

// buildFlags builds the binaries as this suite was built: under -race they watch themselves too.
var buildFlags = []string{"-race"}
