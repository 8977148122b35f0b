package main

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const offered = `<!doctype html><title>t</title><form method="post" action="/leave"><button>Quitter</button></form>
<main><p id="etat" data-state="active">En cours</p>
<form method="post" action="/fill">
<input type="hidden" name="id" value="v_1"><input name="given" value="before">
<input type="radio" name="posture" value="forme" checked><input type="radio" name="posture" value="fais">
<input type="checkbox" name="lines" value="1" checked><input type="checkbox" name="lines" value="2" checked>
<input type="checkbox" name="pays" value="oui"><input name="off" disabled>
<select name="scope"><option value="">…</option><option value="argent" selected>A</option></select>
<textarea name="acts">one
two</textarea><button name="action" value="add">+</button></form></main>`

// site answers with the page, and remembers what it was sent.
func site(t *testing.T) (*visitor, *http.Request) {
	t.Helper()
	sent := &http.Request{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			r.ParseForm()
			*sent = *r
			http.SetCookie(w, &http.Cookie{Name: "__Host-s", Value: "1", Path: "/", Secure: true})
			http.Redirect(w, r, "/after", http.StatusSeeOther)
			return
		}
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusConflict)
			w.Write([]byte(`<main>x<p role="alert"><span>Déjà  fait.</span></p></main>`))
			return
		}
		w.Write([]byte(offered))
	}))
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	v, err := newVisitor("example.com", s.Listener.Addr().String(), pool)
	if err != nil {
		t.Fatal(err)
	}
	return v, sent
}

func TestVisitorFills(t *testing.T) {
	v, sent := site(t)
	p, err := v.fill(t.Context(), "/", "given", map[string]string{"given": "Camille", "posture": "fais", "action": "add"})
	if err != nil {
		t.Fatal(err)
	}
	if p.url.Path != "/after" || p.state() != "active" || !p.says("En cours") {
		t.Errorf("after: %s, state %q", p.url.Path, p.state())
	}
	want := map[string][]string{
		"id": {"v_1"}, "given": {"Camille"}, "posture": {"fais"}, "lines": {"1", "2"},
		"scope": {"argent"}, "acts": {"one\ntwo"}, "action": {"add"},
	}
	if d := cmp.Diff(want, map[string][]string(sent.PostForm)); d != "" {
		t.Error(d)
	}
	if o := sent.Header.Get("Origin"); !strings.HasPrefix(o, "https://example.com:") {
		t.Errorf("origin %q", o)
	}
}

// What the page does not offer cannot be sent.
func TestVisitorErrNotOffered(t *testing.T) {
	v, _ := site(t)
	for name, fill := range map[string]map[string]string{
		"NoField":  {"absent": "x"},
		"NoChoice": {"posture": "vole"},
		"Disabled": {"off": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := v.fill(t.Context(), "/", "given", fill); err == nil {
				t.Errorf("%v was sent", fill)
			}
		})
	}
	if _, err := v.fill(t.Context(), "/", "absent", nil); err == nil {
		t.Error("a form that is not there was sent")
	}
}

func TestVisitorErrRefused(t *testing.T) {
	v, _ := site(t)
	p, err := v.get(t.Context(), "/refused")
	if err == nil || p.status != http.StatusConflict || p.alert() != "Déjà fait." {
		t.Errorf("refused: %v, %q", err, p.alert())
	}
}

// An authority that is not the hub's is not believed.
func TestVisitorErrStranger(t *testing.T) {
	v, _ := site(t)
	stranger, err := newVisitor("example.com", v.base.Host[strings.Index(v.base.Host, ":"):], x509.NewCertPool())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.get(t.Context(), "/"); err == nil {
		t.Error("an unknown authority was believed")
	}
}
