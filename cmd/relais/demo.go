package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// demoTimeout bounds the scenario: a step that hangs must not look like a demo
// that runs.
const demoTimeout = 5 * time.Minute

func runDemo(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "demo [--once] [--json] [--dir FOLDER]")
	once := f.Bool("once", false, "end after the scenario; the exit status is 1 when a step failed")
	asJSON := f.Bool("json", false, "print one JSON object as the last line")
	dir := f.String("dir", filepath.Join("var", "demo"), "`folder` of the demonstration: empty, or one of a demonstration that ended, which is emptied")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	programs, err := shippedPrograms()
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Relais, the main job: three hubs, a kiosk, the national service, on this machine.\n"+
		"Everybody and every place here is invented. Folder: %s\n", *dir)
	return demonstrate(ctx, std, *dir, programs, *once, *asJSON)
}

// demonstrate sets the stage, plays, and keeps serving unless once.
func demonstrate(ctx context.Context, std stdio, dir string, programs programs, once, asJSON bool) (err error) {
	p := &play{told: newTimeline(std.out)}
	playing, cancel := context.WithTimeout(ctx, demoTimeout)
	p.told.chapter("The stage")
	p.stage, err = setStage(playing, dir, programs, p.told)
	if err == nil {
		err = p.run(playing)
	}
	cancel()
	p.Seconds = time.Since(p.told.start).Seconds()
	if err == nil && !once {
		err = p.keepServing(ctx, std)
	}
	if p.stage != nil {
		err = errors.Join(err, p.strike())
	}
	if asJSON {
		p.OK = err == nil
		err = errors.Join(err, json.NewEncoder(std.out).Encode(p.outcome))
	}
	return err
}

// shippedPrograms are this binary and the national service beside it.
func shippedPrograms() (programs, error) {
	self, err := os.Executable()
	if err != nil {
		return programs{}, err
	}
	p := programs{relais: self, national: filepath.Join(filepath.Dir(self), "national")}
	if _, err := os.Stat(p.national); err != nil {
		return p, fmt.Errorf("the national service should be beside %s: make build", self)
	}
	return p, nil
}

// keepServing prints where to go and the current codes until ctx ends.
func (s *stage) keepServing(ctx context.Context, std stdio) error {
	fmt.Fprint(std.out, "\nStill serving. Your browser will say it does not know the hubs' own authority: that is so.\n\n")
	for _, h := range s.hubs() {
		fmt.Fprintf(std.out, "  %-13s %s\n", h.name, h.address())
		if h.kiosk != nil {
			fmt.Fprintf(std.out, "  %-13s %s\n", "its kiosk", h.kiosk.base)
		}
		fmt.Fprintf(std.out, "  %-13s login %s, passphrase %s\n", "", h.account.Login, h.account.Passphrase)
	}
	fmt.Fprintln(std.out, "\nCtrl-C ends it. Codes of now, each good once:")
	for ctx.Err() == nil {
		wait, err := s.printCodes(std)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	fmt.Fprintln(std.out, "\nEnding…")
	return nil
}

// printCodes prints each helper's current code on one line and returns how long
// they last.
func (s *stage) printCodes(std stdio) (left time.Duration, err error) {
	line := ""
	for _, h := range s.hubs() {
		var code string
		var used bool
		if code, left, used, err = h.codes.current(time.Now()); err != nil {
			return 0, err
		}
		if used {
			code = "(next)"
		}
		line += fmt.Sprintf("  %s %s", h.name, code)
	}
	fmt.Fprintf(std.out, "%s  (until %s)\n", line, time.Now().Add(left).Format(time.TimeOnly))
	return left, nil
}
