package webui_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/webui"
	"relais/webui/internal/htmlcheck"
	"relais/webui/page"
)

// A hub that is reached through another is said to be, at the desk and for the
// département; the sample has one such hub, and one that is reached directly.
func TestThrough(t *testing.T) {
	drawn := 0
	for _, sample := range page.Samples() {
		if sample.Name != "territory" && sample.Name != "departement" {
			continue
		}
		drawn++
		body, err := webui.Draw(sample.Page)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range htmlcheck.Find(doc, "li") {
			text := htmlcheck.Text(item)
			through := strings.Contains(text, "joint par un autre relais")
			if strings.Contains(text, "le bus") != through {
				t.Errorf("%s: %q", sample.Name, text)
			}
		}
	}
	if drawn != 2 {
		t.Errorf("%d pages drawn", drawn)
	}
}
