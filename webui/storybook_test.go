package webui_test

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/webui"
	"relais/webui/page"
)

//go:embed testdata/heights.html
var heightsPage string

var shots = flag.String("shots", "", "take pictures of every screen into this folder with chromium; only names that contain -only")

var only = flag.String("only", "", "with -shots, only samples whose name contains this")

// storybook serves every sample at /its-name, framed by nobody but itself.
func storybook(t *testing.T) (*httptest.Server, *http.ServeMux) {
	t.Helper()
	root, assets, err := webui.Assets()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(root+"/", assets)
	for _, sample := range page.Samples() {
		sample.Page.Common().Static = root
		if paper, ok := sample.Page.(*page.MandatePaper); ok && paper.Code != "" {
			paper.Copies[0].QR, err = webui.QROf("https://borne.port-exemple.example/kiosque/arreter#" + paper.Code)
			if err != nil {
				t.Fatal(err)
			}
		}
		body, err := webui.Draw(sample.Page)
		if err != nil {
			t.Fatal(err)
		}
		mux.HandleFunc("/"+sample.Name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", strings.Replace(webui.Policy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
			_, _ = w.Write(body)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, mux
}

// A view is a screen that pictures are taken at.
type view struct {
	name          string
	width, height int
	dark          bool
}

func viewsOf(p page.Page) []view {
	if p.Common().Audience == page.Kiosk {
		return []view{{"kiosk", 1080, 1920, false}, {"kiosk-dark", 1080, 1920, true}, {"phone", 390, 844, false}}
	}
	return []view{{"desk", 1366, 768, false}, {"desk-dark", 1366, 768, true}, {"phone", 390, 844, false}}
}

func TestStorybook(t *testing.T) {
	server, mux := storybook(t)
	if *shots == "" {
		return // every sample was drawn: that is the test
	}
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	heights := measureHeights(t, server, mux)
	for _, sample := range page.Samples() {
		if !strings.Contains(sample.Name, *only) {
			continue
		}
		address := server.URL + "/" + sample.Name
		for _, v := range viewsOf(sample.Page) {
			v.height = max(v.height, heights[fmt.Sprint(sample.Name, v.width)])
			chromium(t, v.flags(filepath.Join(*shots, sample.Name+"@"+v.name+".png")), address)
		}
		if sample.Page.Common().Audience == page.Paper {
			chromium(t, []string{"--no-pdf-header-footer", "--print-to-pdf=" + filepath.Join(*shots, sample.Name+".pdf")}, address)
		}
	}
}

// measureHeights returns how high each page wanted is at each width, by its name
// and width: a picture shows all of it, and a field in focus scrolls nothing.
func measureHeights(t *testing.T, server *httptest.Server, mux *http.ServeMux) map[string]int {
	t.Helper()
	var wanted []string
	for _, sample := range page.Samples() {
		if !strings.Contains(sample.Name, *only) {
			continue
		}
		for _, v := range viewsOf(sample.Page) {
			if !v.dark {
				wanted = append(wanted, fmt.Sprintf("[%q, %d, %d]", sample.Name, v.width, v.height))
			}
		}
	}
	heights := make(map[string]int)
	for _, line := range inBrowser(t, server, mux, strings.Replace(heightsPage, "SAMPLES", strings.Join(wanted, ","), 1))[0] {
		var name string
		var width, height int
		if _, err := fmt.Sscan(line, &name, &width, &height); err != nil {
			t.Fatal(line, err)
		}
		heights[fmt.Sprint(name, width)] = height
	}
	return heights
}

func (v view) flags(file string) []string {
	flags := []string{"--screenshot=" + file, fmt.Sprintf("--window-size=%d,%d", v.width, v.height), "--hide-scrollbars"}
	if v.dark {
		flags = append(flags, "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
	} else {
		flags = append(flags, "--blink-settings=preferredColorScheme=1")
	}
	return flags
}

func chromium(t *testing.T, flags []string, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := append(chromiumFlags(t), append(flags, address)...)
	if out, err := exec.CommandContext(ctx, "chromium", args...).CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
}

// chromiumFlags start a browser that keeps to itself, with a profile of its own.
func chromiumFlags(t *testing.T) []string {
	t.Helper()
	return []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(),
	}
}
