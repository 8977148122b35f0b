package webui_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"relais/webui/internal/htmlcheck"
	"relais/webui/page"
)

//go:embed testdata/frames.html
var framesPage string

//go:embed testdata/layout.html
var layoutPage string

//go:embed testdata/fragment.html
var fragmentPage string

// broken are styles that each break a sample, and what is then wrong with it.
var broken = []struct{ sample, style, want string }{
	{"signin", "h1{width:900px}", "wider than 320"},
	{"signin", ".button{min-height:20px!important;padding:0!important}", "smaller than 44"},
	{"signin", ":focus-visible{outline:none!important}", "nothing shows it"},
	{"kiosk_stop-wrong", "input.stopcode:not([type=hidden]){font-size:34px}", "the code is cut at 390"},
}

// TestInBrowser opens the samples in a real browser, once for all that it looks at:
// a browser takes longer to start than to look.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	pages := []string{
		layoutOf(func(page.Sample) bool { return true }, ""),
		fragmentPage,
	}
	for _, b := range broken {
		pages = append(pages, layoutOf(func(s page.Sample) bool { return s.Name == b.sample }, b.style))
	}
	server, mux := storybook(t)
	found := inBrowser(t, server, mux, pages...)

	// Nothing scrolls sideways on small screens, from 320 pixels, no code is cut
	// there, and what acts is 44 pixels high and wide at the desk, 56 at the kiosk,
	// and shows that it has the focus.
	t.Run("layout", func(t *testing.T) {
		for _, wrong := range found[0] {
			t.Error(wrong)
		}
	})
	// The twin: with a style that breaks each, each is seen.
	t.Run("layout sees", func(t *testing.T) {
		for i, b := range broken {
			if wrong := strings.Join(found[2+i], "\n"); !strings.Contains(wrong, b.want) {
				t.Errorf("%q was not seen in %q", b.want, wrong)
			}
		}
	})
	// The kiosk's page is opened as a QR does: the code is in the field, in groups,
	// and gone from the address. Then somebody types into it, and then the scanner
	// that types the whole address.
	t.Run("code from fragment", func(t *testing.T) {
		want := []string{"7K3M-9QXD-4T2P-HW8V-5", "", "O1IL-9QXD", "7K3M-9QXD-4T2P-HW8V-5"}
		if !slices.Equal(found[1], want) {
			t.Errorf("%q, want %q", found[1], want)
		}
	})
}

// layoutOf is a page that measures the samples wanted, drawn with an extra style,
// and reports what is wrong with them.
func layoutOf(wanted func(page.Sample) bool, style string) string {
	var names []string
	for _, sample := range page.Samples() {
		if wanted(sample) {
			names = append(names, fmt.Sprintf("[%q, %v]", sample.Name, sample.Page.Common().Audience == page.Kiosk))
		}
	}
	return strings.NewReplacer("SAMPLES", strings.Join(names, ","), "STYLE", style).Replace(layoutPage)
}

// inBrowser opens pages beside the samples, each in a frame, and returns the lines
// that each reported.
func inBrowser(t *testing.T, server *httptest.Server, mux *http.ServeMux, pages ...string) [][]string {
	t.Helper()
	var frames strings.Builder
	for i, body := range pages {
		fmt.Fprintf(&frames, "<iframe name=%d src=/frame/%d></iframe>\n", i, i)
		serve(mux, fmt.Sprintf("/frame/%d", i), body)
	}
	serve(mux, "/frames", strings.NewReplacer("PAGES", strconv.Itoa(len(pages)), "FRAMES", frames.String()).Replace(framesPage))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append(chromiumFlags(t), "--window-size=1600,1000", "--virtual-time-budget=300000", "--dump-dom", server.URL+"/frames")
	dom, err := exec.CommandContext(ctx, "chromium", args...).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	var found [][]string
	if err := json.Unmarshal([]byte(htmlcheck.Text(one(t, string(dom), "#found"))), &found); err != nil {
		t.Fatalf("not every page reported: %v\n%.300s", err, dom)
	}
	return found
}

func serve(mux *http.ServeMux, path, body string) {
	mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, body)
	})
}
