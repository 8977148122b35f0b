package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

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
