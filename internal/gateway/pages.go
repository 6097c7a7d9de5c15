package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	swaggerui "github.com/swaggest/swgui/v5/static"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

//go:embed docs
var docsFS embed.FS

// docsPolicy lets the API page run its own scripts and call its own gateway, and nothing else. Swagger UI has pictures in
// its style sheet as data: URLs and sets style attributes.
var docsPolicy = []string{"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"}

// asset is a static file of the gateway, kept compressed: every browser takes it as it is, and the whole API page then
// costs half a megabyte of the binary. It is decompressed once, for the first who needs that: a stranger who asks again and
// again must not cost more than what is sent.
type asset struct {
	contentType string
	policy      []string
	etag        string
	compressed  []byte
	plain       func() ([]byte, error)
}

func newAsset(contentType string, policy []string, compressed []byte) *asset {
	sum := sha256.Sum256(compressed)
	return &asset{contentType, policy, hex.EncodeToString(sum[:12]), compressed, sync.OnceValues(func() ([]byte, error) { return decompress(compressed) })}
}

// ServeHTTP implements http.Handler. Each encoding has its own ETag, as RFC 9110, section 8.8.3.3, wants it.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache") // ask each time: 304 costs little, and an upgrade shows at once
	h.Add("Vary", "Accept-Encoding")   // beside the Origin of CORS
	if a.policy != nil {
		h["Content-Security-Policy"] = a.policy
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("Etag", `"`+a.etag+`-gzip"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.compressed))
		return
	}
	plain, err := a.plain()
	if err != nil {
		httpx.WriteProblem(w, errInternal)
		return
	}
	h.Set("Etag", `"`+a.etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain))
}

// pageFiles are the files of the API page: nothing is served that does not stand here.
var pageFiles = []struct {
	path, contentType string
	from              fs.ReadFileFS
	file              string
}{
	{"/docs", "text/html; charset=utf-8", docsFS, "docs/index.html"},
	{"/docs/init.js", "text/javascript; charset=utf-8", docsFS, "docs/init.js"},
	{"/docs/swagger-ui.css", "text/css; charset=utf-8", swaggerui.FS, "swagger-ui.css.gz"},
	{"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", swaggerui.FS, "swagger-ui-bundle.js.gz"},
	{"/docs/favicon-32x32.png", "image/png", swaggerui.FS, "favicon-32x32.png"},
}

// documentation is the API page and the contract that it shows.
func documentation(openAPI []byte) (map[string]http.Handler, error) {
	contract, err := compress(openAPI)
	if err != nil {
		return nil, err
	}
	pages := map[string]http.Handler{
		"/":             http.RedirectHandler("/docs", http.StatusFound),
		"/openapi.json": newAsset("application/json", nil, contract),
	}
	for _, page := range pageFiles {
		content, err := page.from.ReadFile(page.file)
		if err == nil && !strings.HasSuffix(page.file, ".gz") {
			content, err = compress(content)
		}
		if err != nil {
			return nil, fmt.Errorf("read API page: %w", err)
		}
		pages[page.path] = newAsset(page.contentType, docsPolicy, content)
	}
	return pages, nil
}

func compress(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}

func decompress(compressed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return plain, nil
}
