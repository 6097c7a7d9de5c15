package frames

import (
	"bytes"
	"net/http"
	"reflect"
	"testing"
)

// FuzzAnswer: a backend's answer that is accepted means the same when it is written again, and nothing panics.
func FuzzAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, answer{index: 1, status: 200, header: http.Header{"A": {"b", "c"}}, body: []byte("{}")}))
	f.Add([]byte{0, 0, 0, 4, 1, 200, 1, 0xff})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := readFrame(bytes.NewReader(data))
		if err != nil {
			return
		}
		first, err := parseAnswer(frame, http.Header{})
		if err != nil {
			return
		}
		frame, err = readFrame(bytes.NewReader(appendAnswer(nil, first)))
		if err != nil {
			t.Fatal(err)
		}
		if second, err := parseAnswer(frame, http.Header{}); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v became %+v: %v", first, second, err)
		}
	})
}
