package veloz

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

type keysCommand struct {
	Create keysCreate `cmd:"" help:"Make an API key and print it, once."`
	List   keysList   `cmd:"" help:"List the keys, without their secrets."`
	Revoke keysRevoke `cmd:"" help:"End a key."`
}

// keyStore is the file that the gateway reads. It is changed directly, without the platform, which need not run.
type keyStore struct {
	Data string `name:"data" env:"VELOZ_DATA" default:"veloz-data" type:"path" help:"Data folder of veloz up, whose keys are meant."`
	File string `name:"keys-file" type:"path" placeholder:"FILE" help:"The file of a gateway of its own; made where there is none."`
	JSON bool   `name:"json" help:"Print one JSON document."`
}

// path is the file. In a data folder it must be there: a key made before the first start would be taken for the
// administrator's, and none would be made.
func (s keyStore) path() (string, error) {
	if s.File != "" {
		return s.File, nil
	}
	file := filepath.Join(s.Data, "api-keys.json")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s has no keys yet\n  The first `veloz up` makes them; --data or --keys-file name another place.", relative(s.Data))
	}
	return file, nil
}

type keysCreate struct {
	Name      string       `arg:"" help:"Who holds the key, such as the shop's name."`
	Scopes    []keys.Scope `name:"scope" required:"" placeholder:"SCOPE" help:"What the key may do; several times or with commas: orders:write, orders:read, inventory:write, inventory:read, payments:read, sandbox:write, admin."`
	RateLimit int          `name:"rate-limit" placeholder:"N" help:"Requests a second; the gateway's own limit by default."`
	Expires   *point       `name:"expires" placeholder:"TIME" help:"When it ends: 90d, 12h, 2027-01-31; never by default."`
	keyStore  `embed:""`
}

// Help is shown by --help.
func (keysCreate) Help() string {
	return `Only a hash is kept: the key is shown now and never again. A running gateway knows it within a second.

Examples:

  veloz keys create shop --scope orders:write,orders:read
  veloz keys create partner --scope orders:read --rate-limit 50 --expires 90d
  VELOZ_KEY=$(veloz keys create me --scope admin --json | jq -r .key) veloz orders list`
}

// Run is called by the command line.
func (c *keysCreate) Run(t *terminal) error {
	file, err := c.path()
	if err != nil {
		return err
	}
	options := keys.Options{Name: c.Name, Scopes: c.Scopes, RateLimit: c.RateLimit}
	if c.Expires != nil {
		options.ExpiresAt = c.Expires.after(t.now)
	}
	plaintext, key, err := keys.Create(file, options, t.now)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(createdKey{plaintext, shownKeyOf(key, t.now)})
	}
	fmt.Fprintln(t.out, plaintext)
	t.note("\nKeep it: it is not shown again. Send it as Authorization: Bearer KEY, or give it to veloz as VELOZ_KEY.\nEnd it with: veloz keys revoke %s", key.ID)
	return nil
}

type keysList struct {
	keyStore `embed:""`
}

// Help is shown by --help.
func (keysList) Help() string {
	return `Examples:

  veloz keys list
  veloz keys list --keys-file /etc/veloz/api-keys.json --json`
}

// Run is called by the command line.
func (c *keysList) Run(t *terminal) error {
	file, err := c.path()
	if err != nil {
		return err
	}
	list, err := keys.List(file)
	if err != nil {
		return err
	}
	shown := make([]shownKey, 0, len(list))
	rows := make([][]string, 0, len(list))
	for _, key := range list {
		k := shownKeyOf(key, t.now)
		shown = append(shown, k)
		rows = append(rows, []string{k.ID, k.Name, colored(k.Status), t.maybe(k.ExpiresAt, "never"), limit(k.RateLimit), t.moment(k.CreatedAt), strings.Join(k.scopeNames(), " ")})
	}
	if c.JSON {
		return t.json(map[string]any{"data": shown})
	}
	t.table([]column{{title: "ID"}, {title: "NAME"}, {title: "STATUS"}, {title: "EXPIRES", optional: 1},
		{title: "A SECOND", right: true, optional: 2}, {title: "MADE", optional: 3}, {title: "SCOPES", flexible: true}}, rows)
	return nil
}

type keysRevoke struct {
	ID       string `arg:"" help:"The key's id: the part between the underscores, shown by the list."`
	keyStore `embed:""`
}

// Help is shown by --help.
func (keysRevoke) Help() string {
	return `A running gateway refuses the key within a second. Revoking twice changes nothing.

Examples:

  veloz keys revoke 4fQx81LmZ0aT
  veloz keys revoke 4fQx81LmZ0aT --keys-file /etc/veloz/api-keys.json`
}

// Run is called by the command line.
func (c *keysRevoke) Run(t *terminal) error {
	file, err := c.path()
	if err != nil {
		return err
	}
	key, err := keys.Revoke(file, c.ID, t.now)
	if errors.Is(err, keys.ErrNotFound) {
		return fmt.Errorf("no key has the id %s\n  `veloz keys list` shows what there is.", c.ID)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(shownKeyOf(key, t.now))
	}
	fmt.Fprintf(t.out, "%s (%s) is revoked\n", key.ID, key.Name)
	return nil
}

// shownKey is a key without its hash.
type shownKey struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Status    string       `json:"status"`
	Scopes    []keys.Scope `json:"scopes"`
	RateLimit int          `json:"rate_limit,omitzero"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at,omitzero"`
	RevokedAt time.Time    `json:"revoked_at,omitzero"`
}

type createdKey struct {
	Key string `json:"key"`
	shownKey
}

func shownKeyOf(k keys.Key, now time.Time) shownKey {
	status := "active"
	switch {
	case !k.RevokedAt.IsZero():
		status = "revoked"
	case !k.Active(now):
		status = "expired"
	}
	return shownKey{k.ID, k.Name, status, k.Scopes, k.RateLimit, k.CreatedAt, k.ExpiresAt, k.RevokedAt}
}

func (k shownKey) scopeNames() []string {
	names := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		names[i] = scope.String()
	}
	return names
}

func limit(perSecond int) string {
	if perSecond == 0 {
		return ""
	}
	return fmt.Sprint(perSecond)
}

func (t *terminal) maybe(at time.Time, absent string) string {
	if at.IsZero() {
		return absent
	}
	return t.moment(at)
}

func (t *terminal) json(document any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}
