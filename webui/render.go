package webui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"relais/webui/page"
)

//go:embed template/*.tmpl
var templateFiles embed.FS

// templates holds one parsed set per page: the layouts, the shared parts (files
// whose name begins with _) and the page's own "main".
type templates map[string]*template.Template

// parseTemplates reads every template, once: they are in the binary, and the same
// for every server. A syntax error or an unknown function is found here, an
// unknown field by the test that draws every sample.
var parseTemplates = sync.OnceValues(func() (templates, error) {
	shared, err := template.New("").Funcs(words).ParseFS(templateFiles, "template/_*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse shared templates: %w", err)
	}
	names, err := fs.Glob(templateFiles, "template/*.tmpl")
	if err != nil {
		return nil, err
	}
	all := make(templates, len(names))
	for _, name := range names {
		key := strings.TrimSuffix(strings.TrimPrefix(name, "template/"), ".tmpl")
		if strings.HasPrefix(key, "_") {
			continue
		}
		set, err := template.Must(shared.Clone()).ParseFS(templateFiles, name)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		all[key] = set
	}
	return all, nil
})

// draw writes a page into memory: what fails does so before anything is sent.
func (t templates) draw(p page.Page) ([]byte, error) {
	set, found := t[p.Template()]
	if !found {
		return nil, fmt.Errorf("page %T has no template %q", p, p.Template())
	}
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, string(p.Common().Audience), p); err != nil {
		return nil, fmt.Errorf("draw %s: %w", p.Template(), err)
	}
	return out.Bytes(), nil
}

// render fills what every page shares, draws and sends it. A page with faults
// keeps the status it is given: 422, 409 or 429, and a wait is also told to
// programs.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, p page.Page) error {
	s.dress(r, p.Common())
	body, err := s.templates.draw(p)
	if err != nil {
		return err
	}
	retryAfter(w, p.Common().Wait())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the visitor may have left: nothing to mend
	return nil
}

// retryAfter tells a program how long to wait, in whole seconds; nothing for
// zero.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
}
