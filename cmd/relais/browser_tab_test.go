package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A tab is one person in front of one hub.
type tab struct {
	t   *testing.T
	ctx context.Context
	hub *stageHub
	at  string // address of its site, no final slash
}

func (b *browser) open(t *testing.T, h *stageHub, address string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // a tab lives as long as its first context
		t.Fatal(err)
	}
	tab := &tab{t, ctx, h, strings.TrimSuffix(address, "/")}
	tab.open("/")
	return tab
}

func (b *browser) tab(t *testing.T, h *stageHub) *tab   { return b.open(t, h, h.address()) }
func (b *browser) kiosk(t *testing.T, h *stageHub) *tab { return b.open(t, h, h.kiosk.base.String()) }

// private is a tab of somebody else at the same hub: another window of the
// browser, without the cookies of the first.
func (b *browser) private(t *testing.T, h *stageHub) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	tab := &tab{t, ctx, h, strings.TrimSuffix(h.address(), "/")}
	tab.open("/")
	return tab
}

// see runs an action, returns what it saw, and says where the browser was when it fails.
func see[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		late, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		where, _ := chromedp.Run(late, chromedp.Location())
		says, _ := chromedp.Run(late, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("%s at %s: %v\n%s", b.hub.name, where, err, says)
	}
	return got
}

func (b *tab) do(actions ...action) {
	b.t.Helper()
	see(b, chromedp.Steps(actions...))
}

func (b *tab) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.at + path)) }

func (b *tab) shot(name string) {
	b.t.Helper()
	if !*shots {
		return
	}
	if err := os.WriteFile(filepath.Join(shotsFolder, name+".png"), see(b, chromedp.FullScreenshot(100)), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// view is a picture of what the window shows, no more.
func (b *tab) view(name string) {
	b.t.Helper()
	if !*shots {
		return
	}
	if err := os.WriteFile(filepath.Join(shotsFolder, name+".png"), see(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// says returns the text on the page.
func (b *tab) says() string {
	b.t.Helper()
	return squeeze(see(b, chromedp.Evaluate[string]("document.body.innerText")))
}

func (b *tab) has(words string) {
	b.t.Helper()
	if says := b.says(); !strings.Contains(says, words) {
		b.t.Fatalf("%s: the page does not say %q:\n%s", b.hub.name, words, says)
	}
}

func (b *tab) lacks(words string) {
	b.t.Helper()
	if strings.Contains(b.says(), words) {
		b.t.Fatalf("%s: the page says %q", b.hub.name, words)
	}
}

// currentState is the mandate's state on the page, "" where there is none.
func (b *tab) currentState() string {
	b.t.Helper()
	return see(b, chromedp.Evaluate[string](`document.getElementById("etat")?.dataset.state ?? ""`))
}

func (b *tab) state(want string) {
	b.t.Helper()
	if got := b.currentState(); got != want {
		b.t.Fatalf("%s: state %q, want %q", b.hub.name, got, want)
	}
}

// becomes opens the mandate's page until it is in that state.
func (b *tab) becomes(mandate, want string) {
	b.t.Helper()
	for deadline := time.Now().Add(learnTimeout); ; time.Sleep(50 * time.Millisecond) {
		b.open("/bureau/mandats/" + mandate)
		got := b.currentState()
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: state %q after %v, want %q", b.hub.name, got, learnTimeout, want)
		}
	}
}

// action is something done on a page.
type action = chromedp.Action[chromedp.Void]

// typed puts text in a field; chosen picks a radio or a box; picked, an option.
func typed(field, text string) action {
	return chromedp.SendKeys(chromedp.CSS("#"+field), text)
}

func chosen(field, value string) action {
	return chromedp.Click(chromedp.CSS(fmt.Sprintf("input[name=%q][value=%q]", field, value)))
}

func picked(field, value string) action {
	return chromedp.SetValue(chromedp.CSS("#"+field), value)
}

func shown(css string) action { return chromedp.WaitVisible(chromedp.CSS(css)) }

// press presses a button or a link and waits for the page that follows.
func (b *tab) press(css string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(css)))
	if err != nil || response.Status >= 500 {
		b.t.Fatalf("%s: press %s: %v\n%s", b.hub.name, css, err, b.says())
	}
}

func (b *tab) runs(name string, args ...string) string {
	b.t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}
