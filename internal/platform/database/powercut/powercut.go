// Package powercut is a SQLite VFS under which the end of the process is a power cut: what was written and not synced
// stays in the process's memory, as it would stay in the kernel's, and dies with it. SIGKILL alone proves nothing about
// syncs, since the kernel keeps what a dead process has written. See internal/crash.
package powercut

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/ncruces/go-sqlite3/vfs"
)

// blockSize is what the disk writes at once.
const blockSize = 4096

// earlyBlocks is one of how many unsynced writes reach the disk before their sync: a kernel writes back when it likes,
// and in any order.
const earlyBlocks = 8

// VFS keeps the databases and their logs back until they are synced; all other files are the system's. All connections of
// a process to a file must go through the same VFS.
type VFS struct {
	vfs.VFSFilename
	mu    sync.Mutex
	files map[string]*content
}

// New makes a VFS over the system's. Register it by vfs.Register.
func New() *VFS {
	return &VFS{VFSFilename: vfs.Find("").(vfs.VFSFilename), files: make(map[string]*content)}
}

// systemFile is what the system's VFS opens: the index of a log is shared by its connections.
type systemFile interface {
	vfs.File
	vfs.FileSharedMemory
}

// OpenFilename implements vfs.VFSFilename.
func (v *VFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	opened, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_DB) == 0 {
		return opened, flags, err
	}
	system, ok := opened.(systemFile)
	if !ok {
		return nil, flags, fmt.Errorf("power cut: the system's files share no memory: %w", opened.Close())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.files[name.String()]
	if c == nil {
		if c, err = load(system); err != nil {
			_ = system.Close() // the first error says more
			return nil, flags, err
		}
		v.files[name.String()] = c
	}
	c.users++
	return &file{systemFile: system, vfs: v, name: name.String(), content: c}, flags, nil
}

// Delete implements vfs.VFS. It is durable at once, which is the kinder of two possibilities.
func (v *VFS) Delete(name string, syncDir bool) error {
	v.mu.Lock()
	delete(v.files, name)
	v.mu.Unlock()
	return v.VFSFilename.Delete(name, syncDir)
}

// content is a file as its readers see it, and which of its blocks the disk does not have.
type content struct {
	mu      sync.RWMutex
	users   int // guarded by VFS.mu
	data    []byte
	dirty   map[int64]struct{}
	resized bool
}

func load(f vfs.File) (*content, error) {
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("power cut: size: %w", err)
	}
	c := &content{data: make([]byte, size), dirty: make(map[int64]struct{})}
	if _, err := f.ReadAt(c.data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("power cut: load: %w", err)
	}
	return c, nil
}

// file is one connection's handle. Locks and the shared index are the system's.
type file struct {
	systemFile
	vfs     *VFS
	name    string
	content *content
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	c := f.content
	c.mu.RLock()
	defer c.mu.RUnlock()
	if off >= int64(len(c.data)) {
		return 0, io.EOF
	}
	n := copy(p, c.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	c := f.content
	c.mu.Lock()
	defer c.mu.Unlock()
	if end := off + int64(len(p)); end > int64(len(c.data)) {
		c.data = append(c.data, make([]byte, end-int64(len(c.data)))...)
	}
	copy(c.data[off:], p)
	for block := off / blockSize; block*blockSize < off+int64(len(p)); block++ {
		c.dirty[block] = struct{}{}
		if rand.IntN(earlyBlocks) > 0 {
			continue
		}
		if err := f.writeBlock(block); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// writeBlock brings a block to the disk. It stays dirty: only a sync says that it is there.
func (f *file) writeBlock(block int64) error {
	data := f.content.data
	from := block * blockSize
	if from >= int64(len(data)) {
		return nil // cut off meanwhile
	}
	_, err := f.systemFile.WriteAt(data[from:min(from+blockSize, int64(len(data)))], from)
	return err
}

// Truncate implements vfs.File.
func (f *file) Truncate(size int64) error {
	c := f.content
	c.mu.Lock()
	defer c.mu.Unlock()
	if size > int64(len(c.data)) {
		c.data = append(c.data, make([]byte, size-int64(len(c.data)))...)
	}
	c.data, c.resized = c.data[:size], true
	return nil
}

// Size implements vfs.File.
func (f *file) Size() (int64, error) {
	f.content.mu.RLock()
	defer f.content.mu.RUnlock()
	return int64(len(f.content.data)), nil
}

// Sync implements vfs.File: from here on a power cut loses nothing of what was written before.
func (f *file) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.systemFile.Sync(flags)
}

func (f *file) flush() error {
	c := f.content
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resized {
		if err := f.systemFile.Truncate(int64(len(c.data))); err != nil {
			return err
		}
		c.resized = false
	}
	for block := range c.dirty {
		if err := f.writeBlock(block); err != nil {
			return err
		}
		delete(c.dirty, block)
	}
	return nil
}

// Close implements io.Closer. After the last one the system has the file as it was seen: a process that ends in order
// leaves its writes to the kernel, and there was no power cut.
func (f *file) Close() error {
	f.vfs.mu.Lock()
	defer f.vfs.mu.Unlock()
	f.content.users--
	if f.content.users == 0 && f.vfs.files[f.name] == f.content {
		if err := f.flush(); err != nil {
			return err
		}
		delete(f.vfs.files, f.name)
	}
	return f.systemFile.Close()
}
