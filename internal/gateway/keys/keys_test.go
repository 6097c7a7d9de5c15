package keys

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "api-keys.json") }

func create(t *testing.T, file string, o Options) (string, Key) {
	t.Helper()
	token, key, err := Create(file, o, now)
	if err != nil {
		t.Fatal(err)
	}
	return token, key
}

func TestCreateListRevoke(t *testing.T) {
	t.Parallel()
	path := file(t)
	token, key := create(t, path, Options{Name: "loja", Scopes: []Scope{OrdersRead, OrdersWrite, OrdersRead}, ExpiresAt: now.Add(time.Hour), RateLimit: 7})
	if id, ok := ParseToken(token); !ok || id != key.ID || !key.Matches(token) || len(token) != tokenLength {
		t.Fatalf("token %q of key %+v", token, key)
	}
	if !key.Active(now) || key.Active(now.Add(time.Hour)) {
		t.Fatal("the key does not end when it should")
	}
	list, err := List(path)
	if err != nil || len(list) != 1 || list[0].ID != key.ID || len(list[0].Scopes) != 2 || list[0].RateLimit != 7 || !list[0].ExpiresAt.Equal(key.ExpiresAt) {
		t.Fatalf("%+v, %v", list, err)
	}
	revoked, err := Revoke(path, key.ID, now)
	if err != nil || revoked.Active(now) {
		t.Fatalf("%+v, %v", revoked, err)
	}
	if again, err := Revoke(path, key.ID, now.Add(time.Hour)); err != nil || !again.RevokedAt.Equal(now) {
		t.Fatalf("revoked again: %+v, %v", again, err)
	}
	if _, err := Revoke(path, "nobody", now); !errors.Is(err, ErrNotFound) {
		t.Fatalf("revoke nobody: %v", err)
	}
}

func TestFileHoldsNoSecretAndIsPrivate(t *testing.T) {
	t.Parallel()
	path := file(t)
	token, _ := create(t, path, Options{Name: "a", Scopes: []Scope{Admin}})
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), token[tokenLength-secretLength:]) {
		t.Fatalf("%s: %v", data, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v: %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Fatalf("expected the file and its lock: %v, %v", entries, err)
	}
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	t.Parallel()
	path := file(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, _, err := Create(path, Options{Name: "x", Scopes: []Scope{Admin}}, now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, err := List(path); err != nil || len(list) != 16 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
}

func TestBrokenFileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	path := file(t)
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Create(path, Options{Name: "x", Scopes: []Scope{Admin}}, now); err == nil {
		t.Fatal("a file that cannot be read was replaced")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no name":        {Scopes: []Scope{Admin}},
		"control":        {Name: "a\nb", Scopes: []Scope{Admin}},
		"no scope":       {Name: "a"},
		"invalid scope":  {Name: "a", Scopes: []Scope{0}},
		"expired":        {Name: "a", Scopes: []Scope{Admin}, ExpiresAt: now},
		"negative limit": {Name: "a", Scopes: []Scope{Admin}, RateLimit: -1},
	} {
		if _, _, err := Create(file(t), o, now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEnsureAdmin(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first, err := EnsureAdmin(dir, now)
	if err != nil || !first.Created {
		t.Fatalf("%+v, %v", first, err)
	}
	plaintext, err := os.ReadFile(first.PlaintextFile)
	if err != nil {
		t.Fatal(err)
	}
	list, err := List(first.KeysFile)
	if err != nil || len(list) != 1 || !list[0].Matches(strings.TrimSpace(string(plaintext))) || !Allows(list[0].Scopes, SandboxWrite) {
		t.Fatalf("%+v, %v", list, err)
	}
	if info, err := os.Stat(first.PlaintextFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v: %v", info.Mode(), err)
	}
	if err := os.Remove(first.PlaintextFile); err != nil {
		t.Fatal(err)
	}
	again, err := EnsureAdmin(dir, now)
	if err != nil || again.Created {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, err := os.Stat(again.PlaintextFile); err == nil {
		t.Fatal("a plaintext that was taken away came back")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	_, good := create(t, file(t), Options{Name: "a", Scopes: []Scope{Admin}})
	encoded, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	one := string(encoded)
	if _, err := Parse([]byte(`{"keys":[` + one + `]}`)); err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"twice":         `{"keys":[` + one + `,` + one + `]}`,
		"unknown field": `{"keys":[` + strings.Replace(one, `"name"`, `"expire_at":"x","name"`, 1) + `]}`,
		"unknown scope": `{"keys":[` + strings.Replace(one, `"admin"`, `"root"`, 1) + `]}`,
		"short hash":    `{"keys":[` + strings.Replace(one, `"sha256":"`, `"sha256":"00`, 1) + `]}`,
		"no hash":       `{"keys":[` + strings.Replace(one, `"sha256"`, `"sha257"`, 1) + `]}`,
		"more":          `{"keys":[]} {}`,
		"empty":         ``,
	} {
		if _, err := Parse([]byte(document)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWatcher(t *testing.T) {
	t.Parallel()
	path := file(t)
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path); err == nil {
		t.Fatal("a broken file was opened")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	create(t, path, Options{Name: "a", Scopes: []Scope{Admin}})
	w, list, err := Open(path)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	poll := func(step string, wantKeys int, wantChanged, wantErr bool) {
		t.Helper()
		list, changed, err := w.Poll()
		if len(list) != wantKeys || changed != wantChanged || (err != nil) != wantErr {
			t.Fatalf("%s: %d keys, changed %v, %v", step, len(list), changed, err)
		}
	}
	poll("nothing happened", 0, false, false)
	create(t, path, Options{Name: "b", Scopes: []Scope{Admin}})
	poll("one more", 2, true, false)
	poll("nothing happened", 0, false, false)
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	poll("broken", 0, false, true)
	poll("still broken", 0, false, false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	poll("gone", 0, false, true)
	poll("still gone", 0, false, false)
	create(t, path, Options{Name: "c", Scopes: []Scope{Admin}})
	poll("back", 1, true, false)
}

func TestWatcherWaitsForTheFile(t *testing.T) {
	t.Parallel()
	path := file(t)
	w, list, err := Open(path)
	if err != nil || len(list) != 0 {
		t.Fatalf("%d keys of a missing file, %v", len(list), err)
	}
	if list, changed, err := w.Poll(); len(list) != 0 || changed || err != nil {
		t.Fatalf("still missing: %d keys, changed %v, %v", len(list), changed, err)
	}
	create(t, path, Options{Name: "a", Scopes: []Scope{Admin}})
	if list, changed, err := w.Poll(); len(list) != 1 || !changed || err != nil {
		t.Fatalf("appeared: %d keys, changed %v, %v", len(list), changed, err)
	}
}

func TestScopesAreClosed(t *testing.T) {
	t.Parallel()
	for _, scope := range AllScopes() {
		if back, err := ParseScope(scope.String()); err != nil || back != scope {
			t.Errorf("%s became %s: %v", scope, back, err)
		}
		if Allows([]Scope{scope}, OrdersRead) != (scope == OrdersRead || scope == Admin) {
			t.Errorf("%s and orders:read", scope)
		}
	}
	for _, name := range []string{"", "invalid", "Admin", "orders"} {
		if _, err := ParseScope(name); err == nil {
			t.Errorf("%q is a scope", name)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	token, _ := newToken()
	for _, seed := range []string{"", "vlz_", token, token[:len(token)-1], strings.Replace(token, "vlz_", "vlz-", 1), token + "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, ok := ParseToken(token)
		if !ok {
			if id != "" {
				t.Fatalf("%q was refused and gave the id %q", token, id)
			}
			return
		}
		secret := token[tokenLength-secretLength:]
		if token != tokenPrefix+id+"_"+secret || !isBase62(id) || !isBase62(secret) {
			t.Fatalf("%q passed", token)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"id":"000000000000","name":"a","sha256":"` + strings.Repeat("ab", 32) + `","scopes":["admin"],"created_at":"2026-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Parse(data)
		if err != nil {
			return
		}
		encoded, err := json.Marshal(document{Keys: list})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if again, err := Parse(encoded); err != nil || len(again) != len(list) {
			t.Fatalf("%d keys became %d: %v", len(list), len(again), err)
		}
	})
}
