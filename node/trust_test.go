package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/territory"
)

// rooted is a territory whose root is kept on its first hub.
type rooted struct {
	*land
	keeper *hub
	root   territory.Root
}

func newRooted(t testing.TB, names ...string) *rooted {
	t.Helper()
	l := newLand(t)
	root, err := territory.NewRoot("demo", "Territoire de démonstration", l.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.rootKey = root.Public()
	g := &rooted{land: l, root: root, keeper: l.newHub(t, "Valbrume")}
	for _, name := range names {
		l.newHub(t, name)
	}
	r := l.roster()
	r.Version = 0
	r.Hubs[0].Addresses = []string{"192.0.2.1:7443"}
	signed, err := root.Issue(r, l.clock.Now(), territory.RosterDays)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range l.hubs {
		install(t, h, signed)
	}
	if err := g.keeper.KeepRoot(t.Context(), nil, root); err != nil {
		t.Fatal(err)
	}
	return g
}

func install(t testing.TB, h *hub, signed []byte) {
	t.Helper()
	if err := h.InstallRoster(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
}

// request is what a hub asks, its authority's key included.
func (g *rooted) request(t testing.TB, h *hub, change ...func(*territory.Request)) []byte {
	t.Helper()
	keys := h.Keys()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := territory.NewRequest("demo", territory.Hub{
		ID: keys.Hub, Name: h.site, Identity: keys.Identity, Witness: keys.Witness, Recipient: keys.Recipient,
		Addresses: []string{"192.0.2.9:7443"}, HostNames: []string{fmt.Sprintf("hub-%x.localhost", keys.Hub[:4])},
		Assurance: territory.AssuranceSoftware,
	}, spki, nil)
	for _, f := range change {
		f(&r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func fingerprint(t testing.TB, text []byte) string {
	t.Helper()
	r, err := territory.ParseRequest(text, "demo")
	if err != nil {
		t.Fatal(err)
	}
	return r.Fingerprint()
}

func (g *rooted) invite(t testing.TB) territory.InviteSecret {
	t.Helper()
	_, code, err := g.keeper.Invite(t.Context(), nil, "Le bus", 0)
	if err != nil {
		t.Fatal(err)
	}
	i, err := territory.ParseInvitation(code)
	if err != nil {
		t.Fatal(err)
	}
	if i.Hub != g.keeper.Self() || i.Root != territory.RootFingerprint(g.keeper.RootKey()) || i.MinVersion != g.keeper.Roster().Version {
		t.Errorf("invitation %+v", i)
	}
	return i.Secret
}

// ask invites a hub and takes its request.
func (g *rooted) ask(t testing.TB, h *hub, change ...func(*territory.Request)) (territory.InviteSecret, []byte) {
	t.Helper()
	secret, text := g.invite(t), g.request(t, h, change...)
	if _, err := g.keeper.TakeRequest(t.Context(), secret, text); err != nil {
		t.Fatal(err)
	}
	return secret, text
}

func entries(t testing.TB, h *hub) int {
	t.Helper()
	n, err := h.CountRows(t.Context(), "journal")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInviteRequestApprove(t *testing.T) {
	g := newRooted(t)
	bus := g.newHub(t, "Le bus")
	if g.keeper.Inviting(t.Context()) {
		t.Error("somebody is expected before anybody was invited")
	}
	secret, text := g.ask(t, bus)
	if !g.keeper.Inviting(t.Context()) {
		t.Error("nobody is expected")
	}
	list, err := g.keeper.Requests(t.Context())
	if err != nil || len(list) != 1 || list[0].Site != "Le bus" || list[0].Fingerprint != fingerprint(t, text) || list[0].Known != nil {
		t.Fatalf("%+v, %v", list, err)
	}
	waits, err := g.keeper.TakeRequest(t.Context(), secret, text)
	if err != nil || waits.State != node.RequestWaiting || waits.Roster != nil || waits.Certificate != nil {
		t.Errorf("%+v, %v", waits, err)
	}
	err = g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text), Structures: []territory.StructureID{g.office}})
	if err != nil {
		t.Fatal(err)
	}
	done, err := g.keeper.TakeRequest(t.Context(), secret, text)
	if err != nil || done.State != node.RequestApproved {
		t.Fatalf("%+v, %v", done, err)
	}
	install(t, bus, done.Roster)
	r := bus.Roster()
	h, listed := r.Hub(bus.Self())
	s, _ := r.Structure(g.office)
	if !listed || h.State != territory.HubActive || !s.ServedBy(bus.Self()) || h.Index != 2 {
		t.Errorf("%+v", h)
	}
	q, err := territory.ParseRequest(text, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CheckCertificate(h, q.Authority, done.Certificate); err != nil {
		t.Error(err)
	}
	if report, err := node.VerifyFolder(t.Context(), g.keeper.Options.Dir); err != nil || !report.OK {
		t.Errorf("%+v, %v", report, err)
	}
	history, err := g.keeper.RosterHistory(t.Context(), 1)
	if err != nil || len(history) != 1 || !slices.ContainsFunc(history[0].Changes, func(c territory.Change) bool { return c.Kind == territory.HubAdded }) {
		t.Errorf("%+v, %v", history, err)
	}
}

func TestErrTakeRequest(t *testing.T) {
	g := newRooted(t)
	bus, other := g.newHub(t, "Le bus"), g.newHub(t, "Autre")
	take := func(secret territory.InviteSecret, text []byte) error {
		_, err := g.keeper.TakeRequest(t.Context(), secret, text)
		return err
	}
	text := g.request(t, bus)
	t.Run("ErrUnknown", func(t *testing.T) { refused(t, take(territory.NewSecret(), text), fault.Forbidden, "") })
	t.Run("ErrOtherTerritory", func(t *testing.T) {
		refused(t, take(g.invite(t), g.request(t, bus, func(r *territory.Request) { r.Territory = "974" })), fault.Invalid, "")
	})
	t.Run("ErrRecipient", func(t *testing.T) {
		refused(t, take(g.invite(t), g.request(t, bus, func(r *territory.Request) { r.Hub.Recipient = "age1nobody" })), fault.Invalid, "")
	})
	t.Run("ErrWithdrawn", func(t *testing.T) {
		secret := g.invite(t)
		list, err := g.keeper.Invitations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if err := g.keeper.Uninvite(t.Context(), nil, i.ID); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, take(secret, text), fault.Forbidden, "")
		refused(t, g.keeper.Uninvite(t.Context(), nil, list[0].ID), fault.NotFound, "")
	})
	t.Run("ErrEnded", func(t *testing.T) {
		secret := g.invite(t)
		g.clock.Advance(node.InvitationLife + time.Second)
		refused(t, take(secret, text), fault.Forbidden, "")
	})
	t.Run("ErrUsed", func(t *testing.T) {
		secret, _ := g.ask(t, bus)
		err := take(secret, g.request(t, other))
		refused(t, err, fault.Conflict, "")
		said := fault.Of(err).Message
		for _, who := range []string{bus.Self().String(), "Le bus"} { // the answer is to a stranger
			if strings.Contains(said+fault.Of(err).Error(), who) {
				t.Errorf("%q, %q: it names who used it", said, fault.Of(err))
			}
		}
		if !strings.Contains(said, "a déjà servi aujourd’hui à ") || !strings.Contains(fault.Of(err).Error(), "used already, at "+g.clock.Now().UTC().Format("2006-01-02T")) {
			t.Errorf("%q, %q: it does not say when", said, fault.Of(err))
		}
	})
	t.Run("one of a crowd", func(t *testing.T) {
		secret := g.invite(t)
		var crowd sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			h := g.newHub(t, "Foule")
			text := g.request(t, h)
			crowd.Go(func() { errs[i] = take(secret, text) })
		}
		crowd.Wait()
		taken := 0
		for _, err := range errs {
			if err == nil {
				taken++
			} else {
				refused(t, err, fault.Conflict, "")
			}
		}
		if taken != 1 {
			t.Errorf("an invitation served %d hubs", taken)
		}
	})
	t.Run("ErrMendedAtOnce", func(t *testing.T) {
		h := g.newHub(t, "Bavard")
		secret, _ := g.ask(t, h)
		before := entries(t, g.keeper)
		for range 20 {
			refused(t, take(secret, g.request(t, h)), fault.Limited, "")
		}
		if entries(t, g.keeper) != before {
			t.Error("a stranger writes in the journal as it likes")
		}
		g.clock.Advance(time.Minute)
		if err := take(secret, g.request(t, h)); err != nil {
			t.Error(err)
		}
		g.clock.Advance(node.InvitationLife)
		refused(t, take(secret, g.request(t, h)), fault.Forbidden, "")
	})
	for name, err := range map[string]error{
		"life": errOf(g.keeper.Invite(t.Context(), nil, "x", time.Second)), "site": errOf(g.keeper.Invite(t.Context(), nil, "a\x1bb", 0)),
	} {
		refused(t, err, fault.Invalid, name)
	}
}

func errOf(_ node.Invited, _ string, err error) error { return err }

func TestErrApproveHub(t *testing.T) {
	g := newRooted(t)
	bus := g.newHub(t, "Le bus")
	secret, text := g.ask(t, bus)
	before, version := entries(t, g.keeper), g.keeper.Roster().Version
	unchanged := func(t *testing.T) {
		t.Helper()
		if entries(t, g.keeper) != before || g.keeper.Roster().Version != version {
			t.Error("something changed")
		}
	}
	t.Run("ErrFingerprint", func(t *testing.T) {
		for _, read := range []string{"", fingerprint(t, g.request(t, bus))} {
			refused(t, g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: read}), fault.Invalid, "fingerprint")
		}
		unchanged(t)
	})
	t.Run("ErrNothingWaits", func(t *testing.T) {
		refused(t, g.keeper.ApproveHub(t.Context(), nil, territory.HubID{1}, node.HubApproval{}), fault.NotFound, "")
	})
	t.Run("ErrReplacesNone", func(t *testing.T) {
		refused(t, g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text), Replace: true}), fault.Invalid, "replace")
		unchanged(t)
	})
	t.Run("ErrAltered", func(t *testing.T) { // between the reading aloud and the approval
		g.clock.Advance(2 * time.Minute)
		altered := g.request(t, bus, func(r *territory.Request) { r.Hub.HostNames = []string{"impots.localhost"} })
		if _, err := g.keeper.TakeRequest(t.Context(), secret, altered); err != nil {
			t.Fatal(err)
		}
		refused(t, g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text)}), fault.Invalid, "fingerprint")
		if _, listed := g.keeper.Roster().Hub(bus.Self()); listed {
			t.Error("listed")
		}
	})
	t.Run("refuse", func(t *testing.T) {
		if err := g.keeper.RefuseHub(t.Context(), nil, bus.Self()); err != nil {
			t.Fatal(err)
		}
		done, err := g.keeper.TakeRequest(t.Context(), secret, text)
		if err != nil || done.State != node.RequestRefused || done.Roster != nil {
			t.Errorf("%+v, %v", done, err)
		}
		refused(t, g.keeper.RefuseHub(t.Context(), nil, bus.Self()), fault.NotFound, "")
	})
	t.Run("ErrNameTaken", func(t *testing.T) {
		_, text := g.ask(t, bus)
		if err := g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text)}); err != nil {
			t.Fatal(err)
		}
		other := g.newHub(t, "Autre")
		_, theirs := g.ask(t, other, func(r *territory.Request) {
			h, _ := g.keeper.Roster().Hub(bus.Self())
			r.Hub.HostNames = []string{"x." + h.HostNames[0]}
		})
		refused(t, g.keeper.ApproveHub(t.Context(), nil, other.Self(), node.HubApproval{Fingerprint: fingerprint(t, theirs)}), fault.Conflict, "")
	})
}

// TestApprovalOfAnAccount: an administrator's approval takes a fresh code, and a
// wrong one counts; a helper may not.
func TestApprovalOfAnAccount(t *testing.T) {
	g := newRooted(t)
	helper := g.desk(t, g.keeper, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	e, err := g.keeper.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "dominique", Name: people.Name{Given: "Dominique", Family: "Exemple"}, Structure: g.office, Role: people.RoleAdministrator,
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := g.keeper.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	admin := &desk{hub: g.keeper, land: g.land, by: by, enrol: e}
	bus := g.newHub(t, "Le bus")
	_, text := g.ask(t, bus)
	approve := func(by *node.Actor, code string) error {
		return g.keeper.ApproveHub(t.Context(), by, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text), Code: code})
	}
	for name, err := range map[string]error{
		"approve": approve(&helper.by, helper.code(t)), "invite": errOf(g.keeper.Invite(t.Context(), &helper.by, "", 0)),
		"refuse": g.keeper.RefuseHub(t.Context(), &helper.by, bus.Self()), "expel": g.keeper.Expel(t.Context(), &helper.by, "", bus.Self()),
		"rotate": g.keeper.RotateRoot(t.Context(), &helper.by, ""), "renew": g.keeper.RenewRoster(t.Context(), &helper.by, "", 0),
		"keep the root": g.keeper.KeepRoot(t.Context(), &helper.by, g.root),
	} {
		t.Run("ErrForbidden "+name, func(t *testing.T) { refused(t, err, fault.Forbidden, "") })
	}
	limits, err := g.keeper.CountRows(t.Context(), "limits")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, approve(&by, "000000"), fault.Unauthenticated, "code")
	if after, err := g.keeper.CountRows(t.Context(), "limits"); err != nil || after != limits+1 {
		t.Errorf("a wrong code does not count: %d rows, then %d (%v)", limits, after, err)
	}
	g.clock.Advance(time.Minute)
	code := admin.code(t)
	if err := approve(&by, code); err != nil {
		t.Fatal(err)
	}
	refused(t, g.keeper.RenewRoster(t.Context(), &by, code, 0), fault.Unauthenticated, "code")
}

func TestSettleHub(t *testing.T) {
	g := newRooted(t)
	guest := g.newHub(t, "Autre")
	install(t, guest, g.keeper.RosterNote())
	bus := g.newHub(t, "Le bus")
	// The root is a file: the second hub invites, and signs nothing.
	r, err := g.keeper.Roster().Clone()
	if err != nil {
		t.Fatal(err)
	}
	keys := guest.Keys()
	r.Enrol(territory.Hub{ID: keys.Hub, Name: "Autre", Identity: keys.Identity, Witness: keys.Witness, Recipient: keys.Recipient, Addresses: []string{"192.0.2.2:1"}, Assurance: territory.AssuranceSoftware})
	sign := func(r *territory.Roster) []byte {
		signed, err := g.root.Issue(r, g.clock.Now(), 400)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	install(t, guest, sign(r))
	refused(t, guest.RenewRoster(t.Context(), nil, "", 0), fault.Unavailable, "")
	_, code, err := guest.Invite(t.Context(), nil, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	i, err := territory.ParseInvitation(code)
	if err != nil {
		t.Fatal(err)
	}
	text := g.request(t, bus)
	if _, err := guest.TakeRequest(t.Context(), i.Secret, text); err != nil {
		t.Fatal(err)
	}
	without, err := r.Clone()
	if err != nil {
		t.Fatal(err)
	}
	q, err := territory.ParseRequest(text, "demo")
	if err != nil {
		t.Fatal(err)
	}
	before := entries(t, guest)
	refused(t, guest.SettleHub(t.Context(), bus.Self(), sign(without), nil), fault.Invalid, "")
	h := r.Enrol(q.Hub)
	signed := sign(r)
	certificate, err := g.root.Authority().Certify(h, q.Authority, g.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	other := r.Hubs[0]
	other.HostNames = []string{"valbrume.localhost"}
	theirs, err := g.root.Authority().Certify(other, q.Authority, g.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, guest.SettleHub(t.Context(), bus.Self(), signed, theirs), fault.Invalid, "")
	if entries(t, guest) != before || guest.Roster().Version == r.Version {
		t.Error("a refusal left something behind")
	}
	if err := guest.SettleHub(t.Context(), bus.Self(), signed, certificate); err != nil {
		t.Fatal(err)
	}
	done, err := guest.TakeRequest(t.Context(), i.Secret, text)
	if err != nil || done.State != node.RequestApproved || string(done.Certificate) != string(certificate) {
		t.Errorf("%+v, %v", done, err)
	}
	t.Run("ErrStale", func(t *testing.T) {
		g.clock.Advance(2 * time.Minute)
		_, code, err := guest.Invite(t.Context(), nil, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		i, err := territory.ParseInvitation(code)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := guest.TakeRequest(t.Context(), i.Secret, text); err != nil {
			t.Fatal(err)
		}
		refused(t, guest.SettleHub(t.Context(), bus.Self(), signed, certificate), fault.Stale, "")
	})
}

// TestRotateWhileAsleep: hubs that slept through a rotation recognise the new root
// by themselves; through two, by the turns; the old root is worth nothing after.
func TestRotateWhileAsleep(t *testing.T) {
	g := newRooted(t, "Deux", "Trois", "Quatre", "Cinq", "Six")
	asleep, awake := g.hubs[:3][1:], g.hubs[3:]
	rotate := func() {
		t.Helper()
		if err := g.keeper.RotateRoot(t.Context(), nil, ""); err != nil {
			t.Fatal(err)
		}
		for _, h := range awake {
			install(t, h, g.keeper.RosterNote())
		}
	}
	old := g.root
	rotate()
	first := g.keeper.RosterNote()
	install(t, asleep[0], first) // directly
	if asleep[0].RootKey() != g.keeper.RootKey() || g.keeper.RootKey() == old.Public() {
		t.Fatal("the new root is not pinned")
	}
	replayed, err := g.keeper.Roster().Clone()
	if err != nil {
		t.Fatal(err)
	}
	replayed.Version += 10
	byOld, err := old.Issue(replayed, g.clock.Now(), 400)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []*hub{g.keeper, awake[0], asleep[0]} {
		if err := h.InstallRoster(t.Context(), byOld); !errors.Is(err, territory.ErrForged) {
			t.Errorf("%s: the old root still signs: %v", h.site, err)
		}
	}
	rotate()
	rotate()
	late := asleep[1]
	if err := late.InstallRoster(t.Context(), g.keeper.RosterNote()); !errors.Is(err, territory.ErrForged) {
		t.Fatalf("three rotations by one hash: %v", err)
	}
	turns, err := awake[0].RosterTurns(t.Context(), late.Roster().Version)
	if err != nil || len(turns) != 3 {
		t.Fatalf("%d turns, %v", len(turns), err)
	}
	for _, turn := range turns {
		install(t, late, turn)
	}
	for _, h := range []*hub{late, g.keeper, awake[0]} {
		h.reopen(t)
		if h.RootKey() != g.keeper.RootKey() || h.Roster().Version != g.keeper.Roster().Version {
			t.Errorf("%s opens with another root", h.site)
		}
		if report, err := node.VerifyFolder(t.Context(), filepath.Join(h.Options.Dir, "relais.db")); err != nil || !report.OK {
			t.Errorf("%s: %+v, %v", h.site, report, err)
		}
	}
	if err := g.keeper.RenewRoster(t.Context(), nil, "", 0); err != nil {
		t.Errorf("after a restart the keeper does not sign: %v", err)
	}
}

// TestStaleRootKept: a root that was rotated elsewhere signs nothing here, and is
// not pinned again.
func TestStaleRootKept(t *testing.T) {
	g := newRooted(t, "Deux")
	second := g.hubs[1]
	if err := second.KeepRoot(t.Context(), nil, g.root); err != nil {
		t.Fatal(err)
	}
	if err := g.keeper.RotateRoot(t.Context(), nil, ""); err != nil {
		t.Fatal(err)
	}
	install(t, second, g.keeper.RosterNote())
	pinned := second.RootKey()
	refused(t, second.RenewRoster(t.Context(), nil, "", 0), fault.Unavailable, "")
	refused(t, second.RotateRoot(t.Context(), nil, ""), fault.Unavailable, "")
	refused(t, second.KeepRoot(t.Context(), nil, g.root), fault.Invalid, "")
	if second.RootKey() != pinned || second.Roster().Version != g.keeper.Roster().Version {
		t.Error("the old root was pinned again")
	}
}

// TestUndoneRoster: what a transaction showed of a roster and its root is taken
// back when it fails.
func TestUndoneRoster(t *testing.T) {
	g := newRooted(t)
	pinned, version := g.keeper.RootKey(), g.keeper.Roster().Version
	g.keeper.FailAfterTaking(t, g.root)
	if g.keeper.RootKey() != pinned || g.keeper.Roster().Version != version {
		t.Fatal("a roster that is not on the disk is shown")
	}
	if err := g.keeper.RotateRoot(t.Context(), nil, ""); err != nil {
		t.Errorf("the hub does not sign any more: %v", err)
	}
}

// TestExpiredRoster: past its end a roster still lets known hubs work; the alarm
// says so.
func TestExpiredRoster(t *testing.T) {
	g := newRooted(t)
	d := g.desk(t, g.keeper, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	g.clock.Advance(401 * 24 * time.Hour)
	if !alarmed(t, g.keeper, "roster-expired") {
		t.Error("no alarm")
	}
	if m := d.grant(t); m.IsZero() {
		t.Error("no grant")
	}
	if err := g.keeper.RenewRoster(t.Context(), nil, "", 0); err != nil || alarmed(t, g.keeper, "roster-expired") {
		t.Errorf("renewed: %v", err)
	}
	if n, err := g.keeper.CountEntries(t.Context(), journal.KindRosterIssue); err != nil || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
}
