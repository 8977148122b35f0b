package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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

// A webForm is a form as the page offers it.
type webForm struct {
	page   *webPage
	action string
	values url.Values
	// choices are what radios, selects and buttons offer, by name; a free field
	// has none.
	choices map[string][]string
}

var errNoForm = errors.New("the page has no such form")

// form returns the POST form that holds a field of this name or, when field is
// empty, the first POST form.
func (p *webPage) form(field string) (*webForm, error) {
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.EqualFold(attribute(n, "method"), "post") {
			continue
		}
		f := readForm(p, n)
		if _, offered := f.choices[field]; offered || field == "" {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%s: %w (field %q): %s", p.url.Path, errNoForm, field, p.alert())
}

func readForm(p *webPage, n *html.Node) *webForm {
	f := &webForm{page: p, action: attribute(n, "action"), values: url.Values{}, choices: map[string][]string{}}
	for d := range n.Descendants() {
		name := attribute(d, "name")
		if d.Type != html.ElementNode || name == "" || hasAttribute(d, "disabled") {
			continue
		}
		value := attribute(d, "value")
		switch d.Data {
		case "input":
			f.input(d, name, value)
		case "textarea":
			f.offer(name)
			f.values.Set(name, textareaOf(d))
		case "select":
			f.selected(d, name)
		case "button":
			f.offer(name, value) // sent only when pressed
		}
	}
	return f
}

func (f *webForm) offer(name string, value ...string) {
	f.choices[name] = append(f.choices[name], value...)
}

func (f *webForm) input(n *html.Node, name, value string) {
	switch attribute(n, "type") {
	case "radio", "checkbox":
		if value == "" {
			value = "on"
		}
		f.offer(name, value)
		if hasAttribute(n, "checked") {
			f.values.Add(name, value)
		}
	case "submit":
		f.offer(name, value)
	default:
		f.offer(name)
		f.values.Set(name, value)
	}
}

func (f *webForm) selected(n *html.Node, name string) {
	first := true
	for o := range n.Descendants() {
		if o.Data != "option" {
			continue
		}
		f.offer(name, attribute(o, "value"))
		if first || hasAttribute(o, "selected") {
			f.values.Set(name, attribute(o, "value"))
		}
		first = false
	}
}

func textareaOf(n *html.Node) string {
	if n.FirstChild == nil {
		return ""
	}
	return n.FirstChild.Data
}

// send fills the form and sends it. Each field must be on the page, and each
// choice among those offered.
func (f *webForm) send(ctx context.Context, fill map[string]string) (*webPage, error) {
	for name, value := range fill {
		choices, offered := f.choices[name]
		if !offered {
			return nil, fmt.Errorf("%s: the form has no field %q", f.page.url.Path, name)
		}
		if len(choices) > 0 && !slices.Contains(choices, value) {
			return nil, fmt.Errorf("%s: field %q offers %q, not %q", f.page.url.Path, name, choices, value)
		}
		f.values.Set(name, value)
	}
	where, err := f.page.url.Parse(f.action)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where.String(), strings.NewReader(f.values.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://"+f.page.url.Host)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return f.page.by.do(request)
}

// fill visits a path and sends the form that holds the field.
func (v *visitor) fill(ctx context.Context, path, field string, values map[string]string) (*webPage, error) {
	p, err := v.get(ctx, path)
	if err != nil {
		return nil, err
	}
	f, err := p.form(field)
	if err != nil {
		return nil, err
	}
	return f.send(ctx, values)
}

// byClass returns the first element of a class.
func (p *webPage) byClass(class string) *html.Node {
	return p.find(func(n *html.Node) bool { return slices.Contains(strings.Fields(attribute(n, "class")), class) })
}
