package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Watcher rereads a key file when it has changed. It is for one goroutine.
type Watcher struct {
	file string
	seen os.FileInfo // nil while the file is missing
}

// Open reads the file and watches it from then on. A file that is missing now holds no keys, and is read when it appears: a
// Secret may be made after what mounts it. A broken one is an error.
func Open(file string) (*Watcher, []Key, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Watcher{file: file}, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("look for API keys: %w", err)
	}
	keys, err := List(file)
	return &Watcher{file: file, seen: info}, keys, err
}

// Poll looks whether the file was written or replaced since it was last read; changed is true if it was and could be read.
// A broken or missing file is reported once and not again before it changes: the caller keeps the keys that it has.
func (w *Watcher) Poll() (keys []Key, changed bool, err error) {
	info, err := os.Stat(w.file)
	if err != nil {
		if w.seen == nil {
			return nil, false, nil
		}
		w.seen = nil
		return nil, false, fmt.Errorf("look for API keys: %w", err)
	}
	if w.seen != nil && os.SameFile(info, w.seen) && info.Size() == w.seen.Size() && info.ModTime().Equal(w.seen.ModTime()) {
		return nil, false, nil
	}
	w.seen = info // taken before the file is read: a write in between shows up at the next call
	keys, err = List(w.file)
	return keys, err == nil, err
}
