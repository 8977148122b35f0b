package webui_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/webui"
	"relais/webui/internal/htmlcheck"
	"relais/webui/page"
)

// TestSamples draws every screen in every state. A template that names a field
// its page lacks fails here.
func TestSamples(t *testing.T) {
	for _, sample := range page.Samples() {
		t.Run(sample.Name, func(t *testing.T) {
			body, err := webui.Draw(sample.Page)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := html.Parse(strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			checks := []htmlcheck.Check{oneHeading, uniqueIDs, controls, described, named, nothingInline, noForbiddenWord}
			for _, check := range checks {
				if err := check(doc); err != nil {
					t.Error(err)
				}
			}
			title := htmlcheck.Text(htmlcheck.Find(doc, "title")[0])
			if failed := sample.Page.Common().Failed(); failed != strings.HasPrefix(title, "Erreur :") {
				t.Errorf("faults %v, title %q", failed, title)
			}
		})
	}
}

// TestEveryTemplateHasASample keeps a page from being left out of the storybook.
func TestEveryTemplateHasASample(t *testing.T) {
	files, err := filepath.Glob("template/[a-z]*.tmpl")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tmpl")
		if !slices.ContainsFunc(page.Samples(), func(s page.Sample) bool { return s.Page.Template() == name }) {
			t.Errorf("%s has no sample", file)
		}
	}
}

// TestNothingShadows keeps a page from hiding what every page shares: the layout
// would show the page's own field in its place.
func TestNothingShadows(t *testing.T) {
	shared := reflect.TypeFor[page.Base]()
	for _, sample := range page.Samples() {
		own := reflect.TypeOf(sample.Page)
		for i := range shared.NumField() {
			name := shared.Field(i).Name
			if found, _ := own.Elem().FieldByName(name); !slices.Equal(shared.Field(i).Index, found.Index[len(found.Index)-1:]) || len(found.Index) < 2 {
				t.Errorf("%s: its own %s hides the one that every page shares", sample.Name, name)
			}
			if _, hides := own.MethodByName(name); hides {
				t.Errorf("%s: its method %s hides what every page shares", sample.Name, name)
			}
		}
	}
}

func oneHeading(doc *html.Node) error {
	if n := len(htmlcheck.Find(doc, "h1")); n != 1 {
		return fmt.Errorf("%d h1", n)
	}
	if got := htmlcheck.Attr(htmlcheck.Find(doc, "html")[0], "lang"); got != "fr" {
		return fmt.Errorf("lang %q", got)
	}
	return htmlcheck.Count("main", 1)(doc)
}

func uniqueIDs(doc *html.Node) error {
	seen := make(map[string]bool)
	for _, n := range htmlcheck.Find(doc, "[id]") {
		id := htmlcheck.Attr(n, "id")
		if seen[id] {
			return fmt.Errorf("two elements have id %q", id)
		}
		seen[id] = true
	}
	return nil
}

// controls wants a label for each control, and its name as its id: one control
// of each name carries it.
func controls(doc *html.Node) error {
	ids := make(map[string]bool)
	for _, n := range htmlcheck.Find(doc, "[id]") {
		ids[htmlcheck.Attr(n, "id")] = true
	}
	for _, tag := range []string{"input", "select", "textarea"} {
		for _, n := range htmlcheck.Find(doc, tag) {
			name := htmlcheck.Attr(n, "name")
			if !ids[name] {
				return fmt.Errorf("no control has id %q", name)
			}
			if htmlcheck.Attr(n, "type") != "hidden" && !labelled(doc, n) {
				return fmt.Errorf("<%s name=%q> has no label", tag, name)
			}
		}
	}
	return nil
}

func labelled(doc, control *html.Node) bool {
	for p := range control.Ancestors() {
		if p.Data == "label" {
			return true
		}
	}
	id := htmlcheck.Attr(control, "id")
	return id != "" && len(htmlcheck.Find(doc, "label[for="+id+"]")) == 1
}

// described wants every aria reference to lead somewhere.
func described(doc *html.Node) error {
	for _, name := range []string{"aria-describedby", "aria-labelledby"} {
		for _, n := range htmlcheck.Find(doc, "["+name+"]") {
			for id := range strings.FieldsSeq(htmlcheck.Attr(n, name)) {
				if len(htmlcheck.Find(doc, "#"+id)) != 1 {
					return fmt.Errorf("%s of %s leads to no %q", name, htmlcheck.Attr(n, "name"), id)
				}
			}
		}
	}
	return nil
}

// named wants words on everything that acts, and hidden or named pictures.
func named(doc *html.Node) error {
	for _, tag := range []string{"a", "button"} {
		for _, n := range htmlcheck.Find(doc, tag) {
			if text := htmlcheck.Text(n); text == "" || slices.Contains([]string{"ici", "cliquez ici", "voir"}, strings.ToLower(text)) {
				return fmt.Errorf("<%s> says %q", tag, text)
			}
		}
	}
	for _, n := range htmlcheck.Find(doc, "svg") {
		if htmlcheck.Attr(n, "aria-hidden") != "true" && htmlcheck.Attr(n, "aria-label") == "" {
			return fmt.Errorf("a picture is neither hidden nor named")
		}
	}
	return nil
}

func nothingInline(doc *html.Node) error {
	for _, n := range htmlcheck.Find(doc, "") {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				return fmt.Errorf("<%s %s>: the policy forbids it", n.Data, a.Key)
			}
		}
	}
	if len(htmlcheck.Find(doc, "style")) > 0 {
		return fmt.Errorf("a style in the page")
	}
	return nil
}

var forbidden = regexp.MustCompile(`(?i)\b(record|gossip|vector|sync|TPM|scope)\b`)

func noForbiddenWord(doc *html.Node) error {
	if word := forbidden.FindString(htmlcheck.Text(htmlcheck.Find(doc, "body")[0])); word != "" {
		return fmt.Errorf("%q is on the screen", word)
	}
	return nil
}

// TestQR draws the code as the page does and reads it with zbarimg.
func TestQR(t *testing.T) {
	const address = "https://borne.port-exemple.localhost:8443/kiosque/arreter#7K3M-9QXD-4T2P-HW8V-5"
	qr, err := webui.QROf(address)
	if err != nil {
		t.Fatal(err)
	}
	const scale = 4
	picture := image.NewGray(image.Rect(0, 0, qr.Size*scale, qr.Size*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for _, run := range regexp.MustCompile(`M\d+ \d+h\d+`).FindAllString(qr.Path, -1) {
		var x, y, width int
		if _, err := fmt.Sscanf(run, "M%d %dh%d", &x, &y, &width); err != nil {
			t.Fatal(err)
		}
		for dy := range scale {
			for dx := range width * scale {
				picture.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "qr.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", "-q", "--raw", file.Name()).Output()
	if err != nil || strings.TrimSpace(string(out)) != address {
		t.Errorf("zbarimg read %q: %v", out, err)
	}
}
