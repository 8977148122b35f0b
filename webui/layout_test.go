package webui_test

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"relais/webui/page"
)

//go:embed testdata/layout.html
var layoutPage string

//go:embed testdata/fragment.html
var fragmentPage string

// TestLayout opens every sample in a real browser: nothing scrolls sideways on
// small screens, from 320 pixels, no code is cut there, and what acts is 44 pixels high and wide at the desk, 56 at
// the kiosk. The page itself measures, in frames, and writes what is wrong.
func TestLayout(t *testing.T) {
	found := measure(t, func(page.Sample) bool { return true }, "")
	for _, wrong := range found {
		t.Error(wrong)
	}
}

// TestLayoutSees is the twin: with a style that breaks each, each is seen.
func TestLayoutSees(t *testing.T) {
	for _, broken := range []struct{ sample, style, want string }{
		{"signin", "h1{width:900px}", "wider than 320"},
		{"signin", ".button{min-height:20px!important;padding:0!important}", "smaller than 44"},
		{"kiosk_stop-wrong", "input.stopcode:not([type=hidden]){font-size:34px}", "the code is cut at 390"},
	} {
		found := strings.Join(measure(t, func(s page.Sample) bool { return s.Name == broken.sample }, broken.style), "\n")
		if !strings.Contains(found, broken.want) {
			t.Errorf("%q was not seen in %q", broken.want, found)
		}
	}
}

// measure returns what is wrong with the samples, drawn with an extra style.
func measure(t *testing.T, wanted func(page.Sample) bool, style string) []string {
	t.Helper()
	server, mux := storybook(t)
	var names []string
	for _, sample := range page.Samples() {
		if wanted(sample) {
			names = append(names, fmt.Sprintf("[%q, %v]", sample.Name, sample.Page.Common().Audience == page.Kiosk))
		}
	}
	return inBrowser(t, server, mux, strings.NewReplacer("SAMPLES", strings.Join(names, ","), "STYLE", style).Replace(layoutPage))
}

// TestCodeFromFragment opens the kiosk's page as a QR does: the code is in the
// field, in groups, and gone from the address; then types into it, and then is the
// scanner that types the whole address.
func TestCodeFromFragment(t *testing.T) {
	server, mux := storybook(t)
	found := inBrowser(t, server, mux, fragmentPage)
	if want := "7K3M-9QXD-4T2P-HW8V-5 gone O1IL-9QXD 7K3M-9QXD-4T2P-HW8V-5"; len(found) != 1 || found[0] != want {
		t.Errorf("%q, want %q", found, want)
	}
}

// inBrowser opens a page beside the samples and returns the lines it wrote.
func inBrowser(t *testing.T, server *httptest.Server, mux *http.ServeMux, body string) []string {
	t.Helper()
	mux.HandleFunc("/measure", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, body)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append(chromiumFlags(t), "--window-size=1600,1000", "--virtual-time-budget=300000", "--dump-dom", server.URL+"/measure")
	dom, err := exec.CommandContext(ctx, "chromium", args...).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, rest, measured := strings.Cut(string(dom), "MEASURED\n")
	if !measured {
		t.Fatalf("the browser measured nothing: %.300s", dom)
	}
	rest, _, _ = strings.Cut(rest, "END")
	return strings.FieldsFunc(rest, func(r rune) bool { return r == '\n' })
}
