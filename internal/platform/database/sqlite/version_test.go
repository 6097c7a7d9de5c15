package sqlite

import "testing"

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{
		"3.51.3": true, "3.51.4": true, "3.54.1": true, "4.0.0": true,
		"3.51.2": false, "3.50.9": false, "2.99.9": false, "": false, "new": false,
	} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("%q: %v, want accepted=%v", version, err, ok)
		}
	}
}
