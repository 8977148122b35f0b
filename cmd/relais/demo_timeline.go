package main

import (
	"fmt"
	"io"
	"time"
)

// A timeline tells the demonstration as it goes: when, where, what, how long.
type timeline struct {
	out    io.Writer
	start  time.Time
	failed int
}

func newTimeline(out io.Writer) *timeline { return &timeline{out: out, start: time.Now()} }

// chapter begins a part.
func (t *timeline) chapter(title string) { fmt.Fprintf(t.out, "\n%s\n", title) }

// step does one thing and tells how it went. The figure is what was measured or
// seen, "" for how long it took.
func (t *timeline) step(where, what string, do func() (figure string, err error)) error {
	began := time.Now()
	figure, err := do()
	if figure == "" {
		figure = fmt.Sprintf("%d ms", time.Since(began).Milliseconds())
	}
	mark := "✓"
	if err != nil {
		mark, figure = "✗", err.Error()
		t.failed++
	}
	fmt.Fprintf(t.out, "  %6.2f s  %s  %-13s %s  · %s\n", time.Since(t.start).Seconds(), mark, where, what, figure)
	return err
}
