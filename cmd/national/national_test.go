package main

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"relais/cmd/national/internal/store/storetest"
	"relais/node"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link/relay"
)

// Two hubs that never meet agree through the national service.
func TestTwoHubsMeetThroughTheService(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 2)
		a, b := d.hubs[0], d.hubs[1]
		a.take(t, d.author.write(t, 40))

		if r := a.mustPass(t); r.Up != 40 || r.Down != 0 || r.Drift != 0 || r.Updated != 1 {
			t.Errorf("up from a: %+v", r)
		}
		if r := b.mustPass(t); r.Up != 0 || r.Down != 40 || r.Drift != 0 {
			t.Errorf("down to b: %+v", r)
		}
		for name, h := range map[string]*hub{"a": a, "b": b} {
			r := h.mustPass(t)
			if r.Up+r.Down+r.Drift+r.Created+r.Updated != 0 || r.Requests > 2 || r.OctetsIn+r.OctetsOut > 4000 {
				t.Errorf("second pass of %s: %+v", name, r)
			}
		}

		t.Run("a stop at b's desk reaches a", func(t *testing.T) {
			helper := node.Actor{Helper: people.HelperID{9}, Structure: structureID, Role: people.RoleHelper}
			_, err := b.StopAtDesk(t.Context(), helper, node.DeskStop{Mandate: mandateAt(1), Reason: record.ReasonPerson})
			check(t, err)
			select {
			case <-b.made:
			case <-time.After(10 * time.Second):
				t.Fatal("the stop is still unsigned after 10 s")
			}
			if r := b.mustPass(t); r.Up != 1 || r.Drift != 0 {
				t.Errorf("up from b: %+v", r)
			}
			if r := a.mustPass(t); r.Down != 1 || r.Drift != 0 {
				t.Errorf("down to a: %+v", r)
			}
			notice, err := a.Notice(t.Context(), mandateAt(1))
			check(t, err)
			if len(notice.Stops) != 1 {
				t.Errorf("a knows %+v", notice)
			}
		})
		t.Run("status tells what the service holds", func(t *testing.T) {
			s := d.status(t)
			if s.Records != 41 || s.Notices != 30 || s.Revocations != 11 || s.Forks != 0 || s.Refused != 0 {
				t.Errorf("%+v", s)
			}
			if len(s.Hubs) != 3 || s.Hubs[0].Checkpoint == 0 || s.Hubs[1].Checkpoint == 0 || s.Hubs[1].Records != 1 {
				t.Errorf("%+v", s.Hubs)
			}
			if text := d.command(t, exitOK, "status", "--data", d.data()); !strings.Contains(text, "41 records") {
				t.Errorf("%s", text)
			}
		})
		t.Run("the outcome is kept for the screens", func(t *testing.T) {
			p, known, err := a.LastNationalPass(t.Context())
			if err != nil || !known || p.Down != 1 || p.OctetsIn == 0 || p.Err != "" {
				t.Errorf("%+v, %v, %v", p, known, err)
			}
			if f, err := a.Freshness(t.Context()); err != nil || f.National.IsZero() || f.At.IsZero() {
				t.Errorf("%+v, %v", f, err)
			}
		})
	})
}

func TestSecondPassIsFlat(t *testing.T) {
	second := func(records int) int64 {
		d := newDemo(t, storetest.SQLite(t), 1)
		d.hubs[0].take(t, d.author.write(t, records))
		if r := d.hubs[0].mustPass(t); r.Up != records || r.Drift != 0 {
			t.Fatalf("first pass: %+v", r)
		}
		r := d.hubs[0].mustPass(t)
		if r.Requests > 2 || r.Drift != 0 {
			t.Errorf("second pass with %d records: %+v", records, r)
		}
		return r.OctetsIn + r.OctetsOut
	}
	few, many := second(10), second(2000)
	t.Logf("second pass: %d octets with 10 records, %d with 2,000", few, many)
	// How frames fall into TLS records varies with the load, by 22 octets each.
	if many > 4000 || many-few > 200 || few-many > 200 {
		t.Errorf("second pass: %d octets with 10 records, %d with 2,000", few, many)
	}
}

func TestCutAndRestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 1)
		a := d.hubs[0]
		a.take(t, d.author.write(t, 2000))
		line := relay.New()
		t.Cleanup(func() { line.Close() })
		proxy, err := line.Proxy("127.0.0.1:0")
		check(t, err)
		a.proxy = &url.URL{Scheme: "http", Host: proxy}

		watched, stop := context.WithCancel(t.Context())
		go func() { // cuts in the middle of the second page
			for watched.Err() == nil && line.Octets() < 300_000 {
				time.Sleep(100 * time.Microsecond)
			}
			line.Cut()
		}()
		cut, err := a.pass(t)
		stop()
		if err == nil || cut.Up >= 2000 {
			t.Fatalf("the line was cut and the pass did %+v", cut)
		}
		held := d.status(t).Records
		if held < cut.Up || held >= 2000 {
			t.Fatalf("%d acknowledged, %d stored", cut.Up, held)
		}

		d.stop() // and what it acknowledged is there again
		d.stop = d.serve(t)
		line.Restore()
		if rest := a.mustPass(t); rest.Up != 2000-held || rest.Drift != 0 {
			t.Errorf("%d stored before, %+v after", held, rest)
		}
		if s := d.status(t); s.Records != 2000 || s.Refused != 0 || s.Forks != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A machine that was cloned signs two histories. The service holds the proof;
// until people cut the log, passes go on, go in no circles, and show a drift.
func TestForkedLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 2)
		a, b := d.hubs[0], d.hubs[1]
		clone := *d.author
		a.take(t, d.author.write(t, 6))
		clone.line = 1
		b.take(t, clone.write(t, 6))
		for range 2 {
			for _, h := range []*hub{a, b} {
				h.mustPass(t)
			}
		}
		if s := d.status(t); s.Forks != 1 || !s.Hubs[2].Forked || s.Refused != 0 {
			t.Errorf("%+v", s)
		}
		for name, h := range map[string]*hub{"a": a, "b": b} {
			if r := h.mustPass(t); r.Up+r.Down != 0 || r.OctetsIn+r.OctetsOut > 8000 {
				t.Errorf("a later pass of %s: %+v", name, r)
			}
		}
		t.Run("the roster cuts it, and all agree again", func(t *testing.T) {
			e, err := record.Parse(d.author.last)
			check(t, err)
			check(t, a.InstallRoster(t.Context(), d.next(t, func(r *territory.Roster) {
				r.Hubs[2].State = territory.HubExpelled
				r.Hubs[2].Cuts = []territory.Cut{{Incarnation: 1, Seq: e.Seq, Hash: e.Hash[:]}}
			})))
			a.mustPass(t)
			for name, h := range map[string]*hub{"a": a, "b": b} {
				if r := h.mustPass(t); r.Drift != 0 {
					t.Errorf("%s: %+v", name, r)
				}
			}
		})
	})
}

func TestAlteredRecord(t *testing.T) {
	d := newDemo(t, storetest.SQLite(t), 1)
	wires := d.author.write(t, 3)
	altered := bytes.Clone(wires[2])
	altered[len(altered)-64] ^= 1
	done, err := d.hubs[0].Apply(t.Context(), [][]byte{wires[0], altered}, d.author.hub)
	check(t, err)
	if done.New != 1 || done.Refused != 1 {
		t.Errorf("the hub: %+v", done)
	}
	if r := d.hubs[0].mustPass(t); r.Up != 1 || r.Drift != 0 {
		t.Errorf("the pass: %+v", r)
	}
}

func TestRosters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 2)
		a, b := d.hubs[0], d.hubs[1]
		a.take(t, d.author.write(t, 4))
		a.mustPass(t)

		t.Run("a newer one goes up with a and down with b", func(t *testing.T) {
			check(t, a.InstallRoster(t.Context(), d.next(t, func(r *territory.Roster) { r.Name = "Autre nom" })))
			if r := a.mustPass(t); r.Updated == 0 {
				t.Errorf("up: %+v", r)
			}
			if r := b.mustPass(t); r.Updated == 0 || r.Drift != 0 || b.Roster().Version != 2 {
				t.Errorf("down: %+v, version %d", r, b.Roster().Version)
			}
		})
		t.Run("an older one on the command line changes nothing", func(t *testing.T) {
			old := *d.roster
			old.Version = 1
			signed, err := old.Sign(d.root)
			check(t, err)
			d.install(t, exitFailed, signed) // of SQLite also because the service holds the folder
			if s := d.status(t); s.Roster != 2 {
				t.Errorf("%+v", s)
			}
		})
		t.Run("an expelled hub is refused, and what its cut leaves out is gone", func(t *testing.T) {
			check(t, a.InstallRoster(t.Context(), d.next(t, func(r *territory.Roster) {
				r.Hubs[1].State = territory.HubExpelled // b
				r.Hubs[2].State = territory.HubExpelled // the author, without a cut: void
			})))
			if r := a.mustPass(t); r.Drift != 0 || r.Updated == 0 {
				t.Errorf("a: %+v", r)
			}
			if r, err := b.pass(t); err == nil {
				t.Errorf("b passed: %+v", r)
			}
			if p, _, err := b.LastNationalPass(t.Context()); err != nil || p.Err == "" {
				t.Errorf("b keeps %+v, %v", p, err)
			}
		})
	})
}

func TestCommandLine(t *testing.T) {
	d := &demo{dir: t.TempDir()}
	for name, tt := range map[string]struct {
		code int
		args []string
		says string
	}{
		"no verb":               {exitUsage, nil, "usage: national <verb>"},
		"an unknown verb":       {exitUsage, []string{"dance"}, "usage: national <verb>"},
		"no folder":             {exitUsage, []string{"serve"}, "usage: national serve"},
		"an unknown flag":       {exitUsage, []string{"serve", "--colour", "red"}, "colour"},
		"init without a url":    {exitUsage, []string{"init", "--data", d.data()}, "--data"},
		"help":                  {exitOK, []string{"serve", "-h"}, "listen"},
		"serve without a key":   {exitFailed, []string{"serve", "--data", d.dir}, "identity.key"},
		"status of an empty":    {exitFailed, []string{"status", "--data", d.dir}, "national.db"},
		"roster without a file": {exitUsage, []string{"install-roster", "--data", d.dir}, "ROSTER"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tt.args, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, &stderr)
			}
		})
	}
	t.Run("a forged roster is a proof refused", func(t *testing.T) {
		d, other := newDemo(t, storetest.SQLite(t), 1), newDemo(t, storetest.SQLite(t), 1)
		d.dir = t.TempDir()
		d.command(t, exitOK, "init", "--data", d.data(), "--url", "https://127.0.0.1:1")
		d.install(t, exitProof, other.next(t, nil), "--root", d.rootKey)
	})
	t.Run("a roster of another service", func(t *testing.T) {
		d := newDemo(t, storetest.SQLite(t), 1)
		d.dir = t.TempDir()
		d.command(t, exitOK, "init", "--data", d.data(), "--url", "https://127.0.0.1:1")
		d.install(t, exitFailed, d.next(t, nil), "--root", d.rootKey)
	})
	t.Run("init twice keeps the first identity", func(t *testing.T) {
		d := &demo{dir: t.TempDir()}
		d.command(t, exitOK, "init", "--data", d.data(), "--url", "https://127.0.0.1:1")
		d.command(t, exitFailed, "init", "--data", d.data(), "--url", "https://127.0.0.1:1")
	})
}
