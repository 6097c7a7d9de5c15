package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

const (
	keysFile  = "api-keys.json"
	adminFile = "admin-key"
)

// ErrNotFound says that the file holds no key of that id.
var ErrNotFound = errors.New("no such API key")

// Options are what a new key is made of.
type Options struct {
	// Name says who holds the key.
	Name   string
	Scopes []Scope
	// ExpiresAt is zero for a key without an end.
	ExpiresAt time.Time
	// RateLimit is in requests a second; 0 takes the gateway's default.
	RateLimit int
}

// Create adds a key to the file, which need not exist, and returns its plaintext: the only time that anyone sees it.
func Create(file string, o Options, now time.Time) (plaintext string, key Key, err error) {
	plaintext, key, err = generate(o, now)
	if err != nil {
		return "", Key{}, err
	}
	err = change(file, func(keys []Key) ([]Key, error) { return append(keys, key), nil })
	if err != nil {
		return "", Key{}, err
	}
	return plaintext, key, nil
}

func generate(o Options, now time.Time) (string, Key, error) {
	token, id := newToken()
	key := Key{
		ID: id, Name: o.Name, SHA256: digestOf(token), Scopes: slices.Compact(slices.Sorted(slices.Values(o.Scopes))),
		CreatedAt: now.UTC(), ExpiresAt: o.ExpiresAt.UTC(), RateLimit: o.RateLimit,
	}
	if !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt) {
		return "", Key{}, errors.New("make an API key: it would be expired already")
	}
	if err := key.validate(); err != nil {
		return "", Key{}, fmt.Errorf("make an API key: %w", err)
	}
	return token, key, nil
}

// List returns the file's keys in the order of their creation, revoked and expired ones too.
func List(file string) ([]Key, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	return Parse(data)
}

// Revoke ends a key from now on and returns it; a revoked key keeps its first moment of revocation.
// The error is ErrNotFound when the file has no such key.
func Revoke(file, id string, now time.Time) (Key, error) {
	var revoked Key
	err := change(file, func(keys []Key) ([]Key, error) {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("revoke API key %q: %w", id, ErrNotFound)
		}
		if keys[i].RevokedAt.IsZero() {
			keys[i].RevokedAt = now.UTC()
		}
		revoked = keys[i]
		return keys, nil
	})
	return revoked, err
}

// AdminKey tells where an administrator's key is.
type AdminKey struct {
	// PlaintextFile holds the key, readable by its owner only.
	PlaintextFile string
	// KeysFile is what the gateway reads.
	KeysFile string
	// Created is true on the first start.
	Created bool
}

// EnsureAdmin makes an administrator's key in a data directory that has no key file yet, and the directory itself.
// Where there is a key file, nothing is touched: the plaintext may have been moved away and the key revoked on purpose.
func EnsureAdmin(dataDir string, now time.Time) (AdminKey, error) {
	admin := AdminKey{PlaintextFile: filepath.Join(dataDir, adminFile), KeysFile: filepath.Join(dataDir, keysFile)}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return AdminKey{}, fmt.Errorf("make the data directory: %w", err)
	}
	err := locked(admin.KeysFile, func() error {
		switch _, err := os.Stat(admin.KeysFile); {
		case err == nil:
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("look for API keys: %w", err)
		}
		admin.Created = true
		return createAdmin(admin, now)
	})
	return admin, err
}

// createAdmin writes the plaintext first: a crash between the two files leaves no key file, so the next start makes
// both anew. The other way round nobody would ever know the key.
func createAdmin(admin AdminKey, now time.Time) error {
	token, key, err := generate(Options{Name: "administrator of the first start", Scopes: []Scope{Admin}}, now)
	if err != nil {
		return err
	}
	if err := writeAtomically(admin.PlaintextFile, []byte(token+"\n")); err != nil {
		return err
	}
	return save(admin.KeysFile, []Key{key})
}

// change rewrites the file under its lock, so that two command lines at once lose nothing.
func change(file string, edit func([]Key) ([]Key, error)) error {
	return locked(file, func() error {
		keys, err := List(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if keys, err = edit(keys); err != nil {
			return err
		}
		return save(file, keys)
	})
}

// locked holds a lock file beside the key file: the key file itself is replaced by each write, and a lock on the
// replaced one would guard nothing.
func locked(file string, do func() error) error {
	lock := flock.New(file+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock API keys: %w", err)
	}
	return errors.Join(do(), lock.Unlock())
}

func save(file string, keys []Key) error {
	data, err := json.MarshalIndent(document{Keys: keys}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode API keys: %w", err)
	}
	return writeAtomically(file, append(data, '\n'))
}

// writeAtomically leaves either the old or the new content, for readers and over a power cut.
func writeAtomically(file string, data []byte) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", file, err), os.Remove(temporary.Name()))
		}
	}()
	_, err = temporary.Write(data)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
