package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

const (
	maxPageOctets  = 4 << 20
	visitorTimeout = 30 * time.Second
)

// A visitor goes through a hub's pages as a browser without JavaScript does:
// cookies, forms read from the page, redirects. It can fill only what the page
// offers, so what it did a person can do.
type visitor struct {
	client *http.Client
	base   *url.URL
}

// newVisitor returns a visitor of one host name, which answers at address. It
// trusts the hub's own authority and no other.
func newVisitor(host, address string, authority *x509.CertPool) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return &visitor{
		base: &url.URL{Scheme: "https", Host: net.JoinHostPort(host, port), Path: "/"},
		client: &http.Client{Jar: jar, Timeout: visitorTimeout, Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: authority, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", address)
			},
		}},
	}, nil
}

// A webPage is what came back, read.
type webPage struct {
	status int
	url    *url.URL
	root   *html.Node
	by     *visitor
}

// get visits a path of the hub.
func (v *visitor) get(ctx context.Context, path string) (*webPage, error) {
	where, err := v.base.Parse(path)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, err
	}
	return v.do(request)
}

func (v *visitor) do(request *http.Request) (*webPage, error) {
	response, err := v.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	root, err := html.Parse(io.LimitReader(response.Body, maxPageOctets))
	if err != nil {
		return nil, err
	}
	p := &webPage{status: response.StatusCode, url: response.Request.URL, root: root, by: v}
	if p.status >= http.StatusBadRequest {
		return p, fmt.Errorf("%s %s: %d %s", request.Method, p.url.Path, p.status, p.alert())
	}
	return p, nil
}

// find returns the first element that holds, in document order; nil for none.
func (p *webPage) find(holds func(*html.Node) bool) *html.Node {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && holds(n) {
			return n
		}
	}
	return nil
}

func (p *webPage) byID(id string) *html.Node {
	return p.find(func(n *html.Node) bool { return attribute(n, "id") == id })
}

// state is the mandate's state that a mandate page carries, "" elsewhere.
func (p *webPage) state() string { return attribute(p.byID("etat"), "data-state") }

// alert is what the page says went wrong.
func (p *webPage) alert() string {
	n := p.find(func(n *html.Node) bool { return attribute(n, "role") == "alert" })
	if n == nil {
		n = p.find(func(n *html.Node) bool { return n.Data == "main" })
	}
	return textOf(n)
}

// says tells whether the page's text holds these words.
func (p *webPage) says(words string) bool { return strings.Contains(textOf(p.root), squeeze(words)) }

// attribute returns an attribute's value, "" where there is none.
func attribute(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// textOf returns the text in n as a reader sees it, white space squeezed.
func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			text.WriteString(d.Data + " ")
		}
	}
	return squeeze(text.String())
}

// squeeze makes one space of any white space, non-breaking ones included.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// byClass returns the first element of a class.
func (p *webPage) byClass(class string) *html.Node {
	return p.find(func(n *html.Node) bool { return slices.Contains(strings.Fields(attribute(n, "class")), class) })
}
