package sqlite

import (
	"fmt"
	"time"
)

// Option changes how Open opens a database.
type Option func(*settings)

// Synchronous is how hard SQLite pushes a commit to the disk. Its zero value is invalid.
type Synchronous int

// The levels, with SQLite's own numbers plus one.
const (
	SyncOff Synchronous = iota + 1
	SyncNormal
	SyncFull
)

func (s Synchronous) pragma() int { return int(s) - 1 }

type settings struct {
	vfs         string
	readers     int
	busyTimeout time.Duration
	sync        Synchronous
	logPages    int
}

// The page caches are small because a process opens three databases with up to five connections each, and memory that a
// connection took is not given back before it closes. The kernel's page cache stands behind them.
const (
	writerKiB = 4096
	readerKiB = 512
)

// logPages is how long the log gets before it begins anew: 64 MiB. Orders change pages all over the index of their keys, the
// same ones again and again, so the longer its parts the less is moved.
const logPages = 16384

func defaults() settings {
	return settings{
		readers:     4,
		busyTimeout: 5 * time.Second,
		sync:        SyncFull,
		logPages:    logPages,
	}
}

func (s settings) validate() error {
	if s.readers < 1 || s.busyTimeout <= 0 || s.logPages < 1 {
		return fmt.Errorf("readers (%d), busy time-out (%s) and the log's pages (%d) must be positive", s.readers, s.busyTimeout, s.logPages)
	}
	if s.sync < SyncOff || s.sync > SyncFull {
		return fmt.Errorf("unknown synchronous level %d", s.sync)
	}
	return nil
}

// WithReaders bounds the reader connections, which are opened as they are needed. The default is 4.
func WithReaders(n int) Option { return func(s *settings) { s.readers = n } }

// WithBusyTimeout bounds the wait for a lock that another process holds. The default is 5 s.
func WithBusyTimeout(d time.Duration) Option { return func(s *settings) { s.busyTimeout = d } }

// WithLogPages says how many pages of 4 KiB the log may have before it begins anew. The default is 16384.
func WithLogPages(n int) Option { return func(s *settings) { s.logPages = n } }

// WithVFS reads and writes through the VFS registered under this name in ncruces/go-sqlite3/vfs, such as one that
// injects faults. Folders and file modes are then that VFS's business: Open prepares nothing.
func WithVFS(name string) Option { return func(s *settings) { s.vfs = name } }

// UnsafeSynchronous weakens the durability of commits: an acknowledged order can be lost. It exists for the positive
// controls of the crash tests, which must see losses to prove that they would.
func UnsafeSynchronous(level Synchronous) Option { return func(s *settings) { s.sync = level } }
