//go:build !race

package acceptance_test

var buildFlags []string
