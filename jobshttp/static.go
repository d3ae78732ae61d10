package jobshttp

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// assets are the files that pages load, by their names in their addresses, and addresses what those are. A name has a
// hash of the file, so that it can be kept for ever.
var assets, addresses = load("style.css", "live.js")

func load(names ...string) (assets map[string][]byte, addresses map[string]string) {
	assets, addresses = make(map[string][]byte), make(map[string]string)
	for _, name := range names {
		content, err := static.ReadFile("static/" + name)
		if err != nil {
			panic(err) // it is in the binary
		}
		address := strings.TrimSuffix(name, path.Ext(name)) + "." + hash(content) + path.Ext(name)
		assets[address], addresses[name] = content, "static/"+address
	}
	return assets, addresses
}

// hash returns enough of a hash to tell versions apart.
func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, known := assets[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)])
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}
