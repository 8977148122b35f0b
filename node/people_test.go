package node_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

func TestEnrol(t *testing.T) {
	d := newDesk(t)
	if got := len(strings.Fields(d.enrol.Passphrase)); got != 6 {
		t.Errorf("a passphrase of %d words was made", got)
	}
	if d.by.Name.Full() != "Camille Exemple" || d.by.Role != people.RoleHelper || d.by.Structure != d.land.office {
		t.Errorf("actor %+v", d.by)
	}
	if any, err := d.HasHelpers(t.Context()); err != nil || !any {
		t.Errorf("HasHelpers: %v, %v", any, err)
	}
	other := id.Random[territory.StructureID]()
	referent := node.Actor{Helper: d.by.Helper, Structure: d.land.office, Role: people.RoleReferent}
	whole := node.NewHelper{Login: "sacha", Name: people.Name{Given: "Sacha", Family: "Exemple"}, Structure: d.land.office}
	for name, c := range map[string]struct {
		by     *node.Actor
		change func(*node.NewHelper)
		code   fault.Code
		field  string
	}{
		"ErrHelperMayNot":        {&d.by, func(*node.NewHelper) {}, fault.Forbidden, ""},
		"ErrOtherStructure":      {&referent, func(h *node.NewHelper) { h.Structure = other }, fault.Forbidden, ""},
		"ErrReferentMakesAdmin":  {&referent, func(h *node.NewHelper) { h.Role = people.RoleAdministrator }, fault.Forbidden, ""},
		"ErrUnknownStructure":    {nil, func(h *node.NewHelper) { h.Structure = other }, fault.Invalid, "structure"},
		"ErrUnknownRole":         {nil, func(h *node.NewHelper) { h.Role = "benevole" }, fault.Invalid, "role"},
		"ErrLogin":               {nil, func(h *node.NewHelper) { h.Login = "é" }, fault.Invalid, "login"},
		"ErrLoginTaken":          {nil, func(h *node.NewHelper) { h.Login = "Camille" }, fault.Conflict, "login"},
		"ErrIDTaken":             {nil, func(h *node.NewHelper) { h.ID = d.by.Helper }, fault.Conflict, "login"},
		"ErrNoName":              {nil, func(h *node.NewHelper) { h.Name.Family = "" }, fault.Invalid, "given"},
		"ErrShortPassphrase":     {nil, func(h *node.NewHelper) { h.Passphrase = "trop court" }, fault.Invalid, "passphrase"},
		"ReferentEnrolsAColleag": {&referent, func(*node.NewHelper) {}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := whole
			c.change(&h)
			_, err := d.EnrolHelper(t.Context(), c.by, h)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, c.code, c.field)
		})
	}
}

func TestSignIn(t *testing.T) {
	d := newDesk(t)
	sign := func(login, passphrase, code, from string) error {
		_, err := d.SignIn(t.Context(), login, passphrase, code, from)
		return err
	}
	phrase := d.enrol.Passphrase

	by, err := d.SignIn(t.Context(), " Camille ", "  "+strings.ReplaceAll(phrase, " ", "  "), d.code(t), "192.0.2.1")
	if err != nil || by != d.by {
		t.Fatalf("signed in as %+v, %v", by, err)
	}
	if n, err := d.CountEntries(t.Context(), journal.KindHelperLogin); err != nil || n != 1 {
		t.Errorf("%d entries of signing in, %v", n, err)
	}
	t.Run("ErrReplayedCode", func(t *testing.T) {
		err := sign("camille", phrase, d.codeNow(t), "192.0.2.1")
		refused(t, err, fault.Unauthenticated, "code")
		if wait := fault.Of(err).Wait; wait <= 0 || wait > 30*time.Second {
			t.Errorf("asks to wait %s", wait)
		}
	})
	t.Run("SameAnswer", func(t *testing.T) {
		d.land.clock.Advance(time.Minute)
		code := d.code(t)
		answers := map[string]error{
			"unknown login":  sign("personne", phrase, code, "192.0.2.2"),
			"bad login form": sign("é", phrase, code, "192.0.2.3"),
			"passphrase":     sign("camille", phrase+" lune", code, "192.0.2.4"),
			"wrong code":     sign("camille", phrase, "000000", "192.0.2.5"),
			"no code":        sign("camille", phrase, "", "192.0.2.6"),
		}
		want := fault.Of(answers["passphrase"])
		for name, err := range answers {
			if got := fault.Of(err); got == nil || *got != *want {
				t.Errorf("%s is answered %+v, not %+v", name, got, want)
			}
		}
		d.land.clock.Advance(time.Minute)
		if err := sign("camille", phrase, code, "192.0.2.7"); err == nil {
			t.Error("a code of two minutes ago was taken")
		}
	})
	t.Run("WrongPassphraseDoesNotBurnTheCode", func(t *testing.T) {
		d.land.clock.Advance(2 * time.Hour)
		code := d.code(t)
		refused(t, sign("camille", "fausse phrase secrète", code, "192.0.2.8"), fault.Unauthenticated, "")
		if err := sign("camille", phrase, code, "192.0.2.8"); err != nil {
			t.Errorf("the right one, just after: %v", err)
		}
	})
	t.Run("ErrSuspendedHere", func(t *testing.T) {
		if err := d.SuspendAccount(t.Context(), d.by.Helper, d.land.clock.Now()); err != nil {
			t.Fatal(err)
		}
		refused(t, sign("camille", phrase, d.code(t), "192.0.2.9"), fault.Forbidden, "")
		_, err := d.Actor(t.Context(), d.by.Helper)
		refused(t, err, fault.Forbidden, "")
		if err := d.SuspendAccount(t.Context(), d.by.Helper, time.Time{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("ErrSuspendedInTheTerritory", func(t *testing.T) {
		suspension := author(t, d.hub, &record.Helper{Helper: d.by.Helper})
		refused(t, sign("camille", phrase, d.code(t), "192.0.2.9"), fault.Forbidden, "")
		author(t, d.hub, &record.Helper{Helper: d.by.Helper, Lifts: &record.Position{Index: 1, Incarnation: suspension.Incarnation, Seq: suspension.Seq}})
		if err := sign("camille", phrase, d.code(t), "192.0.2.9"); err != nil {
			t.Errorf("after the suspension was lifted: %v", err)
		}
	})
}

// An unknown login costs what a wrong passphrase does: one Argon2id of the same
// parameters, and as many writes.
func TestUnknownLoginCostsTheSame(t *testing.T) {
	d := newDesk(t)
	type cost struct {
		passes, memory uint32
		lanes          uint8
		salt           int
	}
	var costs []cost
	node.WatchArgon(t, func(passes, memory uint32, lanes uint8, salt int) {
		costs = append(costs, cost{passes, memory, lanes, salt})
	})
	for i, login := range []string{"camille", "personne", "é"} {
		_, err := d.SignIn(t.Context(), login, "fausse phrase secrète", "000000", "192.0.2."+strconv.Itoa(i))
		refused(t, err, fault.Unauthenticated, "")
		if want := (cost{3, 64 << 10, 4, 16}); len(costs) != i+1 || costs[i] != want {
			t.Errorf("login %q cost %+v, want one of %+v", login, costs[i:], want)
		}
		if n, err := d.CountEntries(t.Context(), journal.KindHelperDeny); err != nil || n != i+1 {
			t.Errorf("login %q: %d entries, %v", login, n, err)
		}
	}
}

// The real parameters, end to end.
func TestRealPassphrase(t *testing.T) {
	node.RealArgon(t)
	d := newDesk(t)
	_, err := d.SignIn(t.Context(), "camille", "fausse phrase secrète", d.code(t), "192.0.2.1")
	refused(t, err, fault.Unauthenticated, "")
	if by, err := d.SignIn(t.Context(), "camille", d.enrol.Passphrase, d.codeNow(t), "192.0.2.1"); err != nil || by != d.by {
		t.Errorf("signed in as %+v, %v", by, err)
	}
}

// Whoever hammers waits longer and longer; the helper, at her own desk, waits at
// most some seconds, and signing in forgives everything.
func TestGrowingDelays(t *testing.T) {
	d := newDesk(t)
	var waits []time.Duration
	for range 9 {
		for {
			_, err := d.SignIn(t.Context(), "camille", "fausse phrase secrète", "000000", "198.51.100.1")
			if !fault.Is(err, fault.Limited) {
				refused(t, err, fault.Unauthenticated, "")
				break
			}
			waits = append(waits, fault.Of(err).Wait)
			d.land.clock.Advance(fault.Of(err).Wait)
		}
	}
	longest := time.Duration(0)
	for i, w := range waits {
		if w <= 0 || w > time.Minute {
			t.Errorf("wait number %d is %s", i, w)
		}
		if w < longest {
			t.Errorf("waits do not grow: %v", waits)
		}
		longest = w
	}
	if longest < 8*time.Second {
		t.Errorf("nine attempts cost waits of %v", waits)
	}

	waited := time.Duration(0)
	for {
		_, err := d.SignIn(t.Context(), "camille", d.enrol.Passphrase, d.codeNow(t), "192.0.2.1")
		if err == nil {
			break
		}
		refused(t, err, fault.Limited, "")
		waited += fault.Of(err).Wait
		d.land.clock.Advance(fault.Of(err).Wait)
	}
	if waited > 8*time.Second {
		t.Errorf("somebody else's attempts made the helper wait %s", waited)
	}
	if _, err := d.SignIn(t.Context(), "camille", "fausse phrase secrète", "000000", "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("after signing in, the first mistake: %v", err)
	}
}

// Many at once are no way round the delay: each attempt counts before it is
// answered.
func TestAttemptsAtOnce(t *testing.T) {
	d := newDesk(t)
	answers := make(chan error)
	for range 12 {
		go func() {
			_, err := d.SignIn(t.Context(), "camille", "fausse phrase secrète", "000000", "198.51.100.1")
			answers <- err
		}()
	}
	tried := 0
	for range 12 {
		if err := <-answers; fault.Is(err, fault.Unauthenticated) {
			tried++
		}
	}
	if tried > 4 {
		t.Errorf("%d of 12 attempts at once were tried", tried)
	}
}

func TestActorUnknown(t *testing.T) {
	d := newDesk(t)
	_, err := d.Actor(t.Context(), id.Random[people.HelperID]())
	refused(t, err, fault.Unauthenticated, "")
}
