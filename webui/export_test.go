package webui

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"relais/webui/page"
)

// Draw draws a page without a hub, for the tests that walk the samples.
func Draw(p page.Page) ([]byte, error) {
	t, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	return t.draw(p)
}

// Assets serves the style sheet, script and font to the storybook.
func Assets() (root string, h http.Handler, err error) {
	a, err := loadAssets()
	if err != nil {
		return "", nil, err
	}
	return a.root, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.serve(w, r) {
			http.NotFound(w, r)
		}
	}), nil
}

// QROf draws a QR code.
var QROf = qrOf

// NewAuthority, Secrets: the certificates without a node.
var NewAuthority = newAuthority

// Config, Reopen and RootPEM are the authority's verbs.
var (
	Config  = (*authority).config
	Reopen  = (*authority).reopen
	RootPEM = (*authority).rootPEM
)

// BundleKey is where the authority of some names is kept.
var BundleKey = bundleKey

// NewStorage is certmagic's storage over a sealed store.
var NewStorage = newStorage

// StopCodeTyped reads a code from a form.
var StopCodeTyped = stopCode

// Policy is the content security policy of every page.
const Policy = policy

// Route is one address that the server answers.
type Route struct{ Method, Pattern string }

// DeskRoutes and KioskRoutes list every address from the routers themselves, so
// that no page can be left out of a test.
func (s *Server) DeskRoutes() []Route  { return walk(s.deskRoutes()) }
func (s *Server) KioskRoutes() []Route { return walk(s.kioskRoutes()) }

// BareDesk is the desk's router without what wraps it.
func (s *Server) BareDesk() http.Handler { return s.deskRoutes() }

func walk(router *mux.Router) []Route {
	var all []Route
	_ = router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		pattern, err := route.GetPathTemplate()
		methods, _ := route.GetMethods() // a subrouter has none
		if err != nil || len(methods) == 0 {
			return nil
		}
		all = append(all, Route{methods[0], pattern})
		return nil
	})
	return all
}

// IssueFor asks the authority kept in a store for a certificate of any name.
func IssueFor(ctx context.Context, s secrets, names []string, name string) ([]byte, error) {
	c, err := loadCA(ctx, s, names, time.Now())
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{name}}, key)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	chain, err := c.issue(request, time.Now())
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(chain)
	return block.Bytes, nil
}
