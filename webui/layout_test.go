package webui_test

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"relais/webui/page"
)

//go:embed testdata/layout.html
var layoutPage string

// TestLayout opens every sample in a real browser: nothing scrolls sideways at
// 320 and 390 pixels, and what acts is 44 pixels high and wide at the desk, 56 at
// the kiosk. The page itself measures, in frames, and writes what is wrong.
func TestLayout(t *testing.T) {
	found := measure(t, func(page.Sample) bool { return true }, "")
	for _, wrong := range found {
		t.Error(wrong)
	}
}

// TestLayoutSees is the twin: with a style that breaks both, both are seen.
func TestLayoutSees(t *testing.T) {
	found := strings.Join(measure(t, func(s page.Sample) bool { return s.Name == "signin" }, "h1{width:900px}.button{min-height:20px!important;padding:0!important}"), "\n")
	for _, want := range []string{"wider than 320", "smaller than 44"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q was not seen in %q", want, found)
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
	mux.HandleFunc("/layout", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, strings.NewReplacer("SAMPLES", strings.Join(names, ","), "STYLE", style).Replace(layoutPage))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append(chromiumFlags(t), "--window-size=1600,1000", "--virtual-time-budget=300000", "--dump-dom", server.URL+"/layout")
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
