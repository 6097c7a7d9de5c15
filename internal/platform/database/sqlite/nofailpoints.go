//go:build !failpoints

package sqlite

// underFaults leaves the settings as they are: only crash tests' builds have disks that forget.
func underFaults(s settings) settings { return s }
