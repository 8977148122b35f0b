// Package htmlcheck asserts on HTML in tests: what is where, not how it is
// spelled.
//
//	htmlcheck.Run(body, htmlcheck.In("h1", htmlcheck.HasText("Aujourd’hui")))
//
// A selector is a tag, #id, .class or [attribute=value], or several of them
// without space: "input#code[aria-invalid=true]".
package htmlcheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Check looks at an element and returns what is wrong.
type Check func(*html.Node) error

// Run parses body and applies every check to the document.
func Run(body string, checks ...Check) error {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return err
	}
	return all(doc, checks)
}

// In applies checks to the first element that the selector finds.
func In(selector string, checks ...Check) Check {
	return func(n *html.Node) error {
		found := Find(n, selector)
		if len(found) == 0 {
			return fmt.Errorf("no %s", selector)
		}
		if err := all(found[0], checks); err != nil {
			return fmt.Errorf("%s: %w", selector, err)
		}
		return nil
	}
}

// None refuses any element that the selector finds.
func None(selector string) Check {
	return func(n *html.Node) error {
		if found := Find(n, selector); len(found) > 0 {
			return fmt.Errorf("%d %s, want none", len(found), selector)
		}
		return nil
	}
}

// Count wants as many elements.
func Count(selector string, want int) Check {
	return func(n *html.Node) error {
		if found := Find(n, selector); len(found) != want {
			return fmt.Errorf("%d %s, want %d", len(found), selector, want)
		}
		return nil
	}
}

// HasText wants the element's text, spaces made one, to contain text.
func HasText(text string) Check {
	return func(n *html.Node) error {
		if got := Text(n); !strings.Contains(got, text) {
			return fmt.Errorf("text %q does not contain %q", got, text)
		}
		return nil
	}
}

// HasAttr wants an attribute with exactly this value.
func HasAttr(name, value string) Check {
	return func(n *html.Node) error {
		if got, _ := attribute(n, name); got != value {
			return fmt.Errorf("%s=%q, want %q", name, got, value)
		}
		return nil
	}
}

// Find returns the elements that a selector finds under n, in order.
func Find(n *html.Node, selector string) []*html.Node {
	var found []*html.Node
	parts := selectorParts.FindAllString(selector, -1)
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && matches(d, parts) {
			found = append(found, d)
		}
	}
	return found
}

// Text returns the text under n with every run of spaces made one.
func Text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Attr returns an attribute of n; "" when it has none.
func Attr(n *html.Node, name string) string {
	value, _ := attribute(n, name)
	return value
}

var selectorParts = regexp.MustCompile(`\[[^\]]+\]|[#.]?[\w-]+`)

func matches(n *html.Node, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !matchesPart(n, part) })
}

func matchesPart(n *html.Node, part string) bool {
	switch part[0] {
	case '#':
		return Attr(n, "id") == part[1:]
	case '.':
		return slices.Contains(strings.Fields(Attr(n, "class")), part[1:])
	case '[':
		name, want, valued := strings.Cut(strings.Trim(part, "[]"), "=")
		got, has := attribute(n, name)
		return has && (!valued || got == want)
	}
	return n.Data == part
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func all(n *html.Node, checks []Check) error {
	for _, check := range checks {
		if err := check(n); err != nil {
			return err
		}
	}
	return nil
}
