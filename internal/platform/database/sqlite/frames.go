package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3/vfs"
)

// frameHeaderBytes is what stands before each page in the log (https://sqlite.org/fileformat2.html#the_write_ahead_log).
const frameHeaderBytes = 24

// frameVFS writes a frame of the log as one piece. SQLite writes its header and its page one after the other, and each is a
// call of the system, of which a batch of orders has dozens.
type frameVFS struct{ vfs.VFSFilename }

// overFrames answers the name of a VFS that is the one of this name, the system's when it is empty, with whole frames.
func overFrames(name string) (string, error) {
	under, ok := vfs.Find(name).(vfs.VFSFilename)
	if !ok {
		return "", fmt.Errorf("no such vfs: %q", name)
	}
	own := "frames"
	if name != "" {
		own += "-" + name
	}
	vfs.Register(own, frameVFS{under})
	return own, nil
}

// OpenFilename implements vfs.VFSFilename.
func (v frameVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, flags, err
	}
	return &logFile{File: f}, flags, nil
}

// logFile is one connection's log. A header waits for its page, which is the next call; anything else that comes has it
// written first. So nothing is held back when a commit, or its failure, is over.
type logFile struct {
	vfs.File
	at    int64  // where frame begins
	frame []byte // a header that waits
}

// WriteAt implements vfs.File.
func (f *logFile) WriteAt(b []byte, off int64) (int, error) {
	if len(f.frame) > 0 && off == f.at+int64(len(f.frame)) {
		f.frame = append(f.frame, b...)
		return len(b), f.flush()
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	if len(b) == frameHeaderBytes {
		f.at, f.frame = off, append(f.frame, b...)
		return len(b), nil
	}
	return f.File.WriteAt(b, off)
}

// flush writes what waits. What could not be written waits no more: SQLite gives up the transaction, and repeats it whole.
func (f *logFile) flush() error {
	if len(f.frame) == 0 {
		return nil
	}
	_, err := f.File.WriteAt(f.frame, f.at)
	f.frame = f.frame[:0]
	return err
}

// ReadAt implements vfs.File.
func (f *logFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

// Sync implements vfs.File.
func (f *logFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Truncate implements vfs.File.
func (f *logFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Size implements vfs.File.
func (f *logFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}
