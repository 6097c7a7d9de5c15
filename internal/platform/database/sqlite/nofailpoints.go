//go:build !failpoints

package sqlite

// underFaults leaves the settings as they are: only the builds of crash and overload tests have disks that forget or are slow.
func underFaults(s settings) settings { return s }
