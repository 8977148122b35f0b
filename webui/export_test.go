package webui

import (
	"net/http"

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

// Config and RootPEM are the authority's two verbs.
var (
	Config  = (*authority).config
	RootPEM = (*authority).rootPEM
)

// NewStorage is certmagic's storage over a sealed store.
var NewStorage = newStorage

// Policy is the content security policy of every page.
const Policy = policy
