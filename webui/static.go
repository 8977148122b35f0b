package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed static
var staticFiles embed.FS

// immutable is how long a browser may keep an asset: a year, because a changed
// asset has another path.
const immutable = "public, max-age=31536000, immutable"

// assets are the style sheet, the script, the font and the mark, held in
// memory under a path that carries the hash of them all.
type assets struct {
	root  string // "/static/0123456789ab"
	files map[string][]byte
	// packed are the same files, compressed once; the font is compressed already.
	packed map[string][]byte
}

// loadAssets reads every asset, once: nothing changes them afterwards, and they are
// the same for every server.
var loadAssets = sync.OnceValues(func() (*assets, error) {
	a := &assets{files: make(map[string][]byte), packed: make(map[string][]byte)}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(name, "static/")
		sum.Write([]byte(short + "\x00" + strconv.Itoa(len(body)) + "\x00"))
		sum.Write(body)
		a.files[short] = body
		if path.Ext(name) != ".woff2" {
			a.packed[short], err = packed(body)
		}
		return err
	})
	a.root = "/static/" + hex.EncodeToString(sum.Sum(nil)[:6])
	return a, err
})

// serve sends one asset and tells whether there is one. A path with another hash is not found, so that an
// old page never mixes with new assets.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) bool {
	name, found := strings.CutPrefix(r.URL.Path, a.root+"/")
	body, known := a.files[name]
	if !found || !known {
		return false
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", immutable)
	if small, has := a.packed[name]; has {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			body = small
		}
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	return true
}

func packed(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// contentType does not ask the machine's tables for what we serve.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".woff2":
		return "font/woff2"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}
