package veloz

import "testing"

func TestAgainIsHowTheProgramWasStarted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"veloz":                                "veloz",
		"./bin/veloz":                          "./bin/veloz",
		"/usr/local/bin/veloz":                 "/usr/local/bin/veloz",
		"/tmp/go-build87332110/b001/exe/veloz": "go run ./cmd/veloz",
		"/x/.cache/go-build/5f/x-d/veloz":      "go run ./cmd/veloz",
		"/cache/5f/5f2e0995407d485087d5d4803958ffe9f3bd036bb58a9a12336030c2d31a8b27-d/veloz": "go run ./cmd/veloz",
	} {
		if got := again(name); got != want {
			t.Errorf("%s is started again by %s, not %s", name, got, want)
		}
	}
}
