package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	// The locks and the memory of the VFS must be there before the first connection.
	_ "github.com/ncruces/go-sqlite3/vfs"
)

// minVersion is the first SQLite without the WAL-reset bug, which corrupts a database under concurrent checkpoints.
var minVersion = [3]int{3, 51, 3}

type role int

const (
	writer role = iota + 1
	reader
)

// locate prepares the file and answers the name under which SQLite opens it.
func (s settings) locate(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") {
		return "", errors.New("the path must name a file")
	}
	name, err := overFrames(s.vfs)
	if err != nil {
		return "", err
	}
	if s.vfs != "" {
		return FileURI(path, url.Values{"vfs": {name}}), nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the absolute path: %w", err)
	}
	if err := prepareFile(abs); err != nil {
		return "", err
	}
	// The log holds the same personal data as the database: modeof gives it the database's mode.
	return FileURI(abs, url.Values{"vfs": {name}, "modeof": {abs}}), nil
}

// FileURI names a file as SQLite's URI, with parameters; migrations open the file by it too.
func FileURI(path string, params url.Values) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path // a drive letter is not a host
	}
	// SQLite does not read "+" as a space.
	query := strings.ReplaceAll(params.Encode(), "+", "%20")
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}).String()
}

// prepareFile makes the file and the folders above it, for the owner only, and syncs the folders it made: a database
// whose folder is forgotten in a power cut has lost its orders too.
func prepareFile(abs string) error {
	if err := makeFolders(filepath.Dir(abs)); err != nil {
		return err
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	return nil
}

// restrictIndex hides the log's index as well: the VFS makes it anew, readable by all, when the first connection opens.
// It holds page numbers only, but whoever can open it can hold its locks.
func restrictIndex(path string) error {
	if err := os.Chmod(path+"-shm", 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restrict the log's index: %w", err)
	}
	return nil
}

func makeFolders(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // it is there, or what is wrong with it shows when the file is opened
	}
	parent := filepath.Dir(dir)
	if err := makeFolders(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create folder: %w", err)
	}
	return syncFolder(parent)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer f.Close()
	// Some systems cannot sync a folder (Windows, FUSE); they have no better way either.
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

func (s settings) connect(ctx context.Context, source string, as role) (*Conn, error) {
	native, err := sqlite3.OpenContext(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("open connection: %w", err)
	}
	c := newConn(native)
	if err := s.configure(c, as); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (s settings) configure(c *Conn, as role) error {
	if err := c.native.BusyTimeout(s.busyTimeout); err != nil {
		return fmt.Errorf("set busy time-out: %w", err)
	}
	if err := c.native.Exec(s.pragmas(as)); err != nil {
		return fmt.Errorf("configure connection: %w", err)
	}
	if as == reader {
		return nil // it writes nothing, so nothing about it can be lost
	}
	return s.verify(c)
}

func (s settings) pragmas(as role) string {
	if as == reader {
		return fmt.Sprintf(`PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%d;`, readerKiB)
	}
	// journal_size_limit gives the disk back after a long reader has let the log grow.
	return fmt.Sprintf(`PRAGMA journal_mode=WAL; PRAGMA synchronous=%d; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;
		PRAGMA cache_size=-%d; PRAGMA journal_size_limit=134217728;`, s.sync.pragma(), writerKiB)
}

const verifySQL = `SELECT sqlite_version(), j.journal_mode, s.synchronous, f.foreign_keys
	FROM pragma_journal_mode j, pragma_synchronous s, pragma_foreign_keys f`

// verify reads back what was set: SQLite ignores a pragma that it cannot honour instead of failing.
func (s settings) verify(c *Conn) error {
	stmt, err := c.Prepare(verifySQL)
	if err != nil {
		return err
	}
	_, err = stmt.One(func(r Row) error {
		if err := checkVersion(r.Text(0)); err != nil {
			return err
		}
		if mode, level, keys := r.Text(1), r.Int(2), r.Int(3); mode != "wal" || level != s.sync.pragma() || keys != 1 {
			return fmt.Errorf("settings did not take: journal_mode=%s synchronous=%d foreign_keys=%d instead of wal, %d and 1",
				mode, level, keys, s.sync.pragma())
		}
		return nil
	})
	return err
}

func checkVersion(version string) error {
	var v [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return fmt.Errorf("read SQLite version %q: %w", version, err)
	}
	for i := range v {
		if v[i] > minVersion[i] {
			return nil
		}
		if v[i] < minVersion[i] {
			return fmt.Errorf("SQLite %s has the WAL-reset bug: %d.%d.%d or later is needed", version, minVersion[0], minVersion[1], minVersion[2])
		}
	}
	return nil
}
