package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// site3 is a territory of three hubs that all serve the one structure, with a desk
// at the first two.
func site3(t *testing.T) (here, there *desk, third *hub) {
	t.Helper()
	l, a, b, c := three(t)
	here = l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	there = l.desk(t, b, "sacha", people.Name{Given: "Sacha", Family: "Essai"})
	return here, there, c
}

// spread lets other hubs hear what one has to say.
func spread(t *testing.T, from *hub, to ...*hub) {
	t.Helper()
	signAll(t, from)
	for _, h := range to {
		meet(t, from, h)
	}
}

func (d *desk) stop(t testing.TB, m mandate.ID, lines ...uint8) node.Receipt {
	t.Helper()
	receipt, err := d.StopAtDesk(t.Context(), d.by, node.DeskStop{Mandate: m, Lines: lines, Reason: record.ReasonPerson})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func (d *desk) worklist(t testing.TB) node.Worklist {
	t.Helper()
	list, err := d.Worklist(t.Context(), d.by)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// item is the one that waits.
func (d *desk) item(t testing.TB) node.WorkItem {
	t.Helper()
	list := d.worklist(t)
	if len(list.Waiting) != 1 || len(list.Waiting[0].Items) != 1 {
		t.Fatalf("not one item waits: %+v", list.Waiting)
	}
	return list.Waiting[0].Items[0]
}

// TestStopMakesWork: a mandate of Aidants Connect is stopped by its code at another
// hub. The receipt says what is still active, who is to stop it and until when; the
// hub that entered it lists just that, once, and no other hub does.
func TestStopMakesWork(t *testing.T) {
	here, there, third := site3(t)
	m := here.mirror(t, aMirror("Denise"))[0]
	view, err := here.Mandate(t.Context(), here.by, m)
	if err != nil {
		t.Fatal(err)
	}
	spread(t, here.hub, there.hub, third)
	receipt, err := there.StopByCode(t.Context(), view.StopCode.String(), "borne")
	if err != nil {
		t.Fatal(err)
	}
	// A Saturday morning: Monday, Tuesday, Wednesday.
	due := time.Date(2026, 11, 25, 18, 0, 0, 0, people.Zone("Europe/Paris"))
	want := []node.StillActive{{Structure: "France Services de Valbrume", Where: "Valbrume", Due: due}}
	if len(receipt.StillActive) != 1 || receipt.StillActive[0].Structure != want[0].Structure || receipt.StillActive[0].Where != "Valbrume" ||
		!receipt.StillActive[0].Due.Equal(due) || !receipt.StillActive[0].Done.IsZero() {
		t.Errorf("the receipt says %+v, want %+v", receipt.StillActive, want)
	}
	here.land.clock.Advance(98 * time.Hour) // the line was down until Wednesday
	spread(t, there.hub, here.hub, third)
	spread(t, there.hub, here.hub, third) // and everything comes twice
	list := here.worklist(t)
	if len(list.Waiting) != 1 || len(list.Waiting[0].Items) != 1 || list.Waiting[0].Person == nil || list.Waiting[0].Person.Name.Given != "Denise" {
		t.Fatalf("the list: %+v", list.Waiting)
	}
	item := list.Waiting[0].Items[0]
	if item.Mandate != m || len(item.Scopes) != 0 || !item.Due.Equal(due) || item.Owner != "Camille Exemple" ||
		item.Stop == nil || item.Stop.WhereName != "Port-Exemple" || item.Late(here.land.clock.Now()) || !item.Late(due.Add(time.Second)) {
		t.Errorf("the item: %+v", item)
	}
	for _, h := range []*hub{there.hub, third} {
		if n, err := h.CountRows(t.Context(), "worklist"); err != nil || n != 0 {
			t.Errorf("%s lists %d items, %v", h.Name(), n, err)
		}
		if v, err := h.Notice(t.Context(), m); err != nil || v.StillActive == nil || !v.StillActive.Due.Equal(due) || v.StillActive.Where != "Valbrume" {
			t.Errorf("%s says %+v, %v", h.Name(), v.StillActive, err)
		}
	}
	_, err = here.RecordAct(t.Context(), here.by, act(m, 1))
	refused(t, err, fault.Forbidden, "")
	if text := fault.Of(err).Message; !strings.Contains(text, "encore actif dans Aidants Connect") || !strings.Contains(text, "à la borne de Port-Exemple") {
		t.Errorf("the refusal says %q", text)
	}
}

// TestWorkByPerson: what is to be done for one person stands together, whatever
// mandates it comes from; who waited longest comes first.
func TestWorkByPerson(t *testing.T) {
	here, _, _ := site3(t)
	other := aMirror("DENISE")
	other.Scopes = []mandate.Scope{mandate.Papiers}
	namesake := aMirror("Denise")
	namesake.Person.BirthDate = "1950"
	made := here.mirror(t, aMirror("Denise"), aMirror("Yves"), other, namesake)
	for _, i := range []int{1, 0, 3, 2} {
		here.land.clock.Advance(time.Minute)
		here.stop(t, made[i])
	}
	var got [][]mandate.ID
	for _, g := range here.worklist(t).Waiting {
		var of []mandate.ID
		for _, w := range g.Items {
			of = append(of, w.Mandate)
		}
		got = append(got, of)
	}
	if diff := cmp.Diff([][]mandate.ID{{made[1]}, {made[0], made[2]}, {made[3]}}, got); diff != "" {
		t.Error(diff)
	}
	if n, late, err := here.WorkCount(t.Context(), here.by, 3); n != 3 || late != 0 || err != nil {
		t.Errorf("counted %d, %d late, %v", n, late, err)
	}
	here.land.clock.Advance(5 * 24 * time.Hour)
	if n, late, err := here.WorkCount(t.Context(), here.by, 100); n != 4 || late != 4 || err != nil {
		t.Errorf("five days later %d, %d late, %v", n, late, err)
	}
}

// TestWorkOfLines: lines are stopped one after the other; at most one item waits,
// and it says all that is left to do.
func TestWorkOfLines(t *testing.T) {
	here, _, _ := site3(t)
	m := here.mirror(t, aMirror("Denise"))[0] // social, then argent: the list's order
	here.stop(t, m, 2)
	first := here.item(t)
	if diff := cmp.Diff([]mandate.Scope{mandate.Argent}, first.Scopes); diff != "" {
		t.Error(diff)
	}
	note := func(w node.WorkItem) error {
		return here.NoteWorkDone(t.Context(), here.by, []node.WorkID{w.ID}, "21/11/2026")
	}
	if err := note(first); err != nil {
		t.Fatal(err)
	}
	here.land.clock.Advance(time.Hour)
	here.stop(t, m)
	whole := here.item(t)
	if len(whole.Scopes) != 0 || !whole.Stopped.Equal(here.land.clock.Now()) {
		t.Errorf("the rest: %+v", whole)
	}
	// Taken back, the first line is part of what waits, since its own stop.
	if err := here.ReopenWork(t.Context(), here.by, first.ID); err != nil {
		t.Fatal(err)
	}
	again := here.item(t)
	if len(again.Scopes) != 0 || !again.Stopped.Equal(whole.Stopped) && !again.Stopped.Equal(first.Stopped) {
		t.Errorf("taken back: %+v", again)
	}
	if err := note(again); err != nil {
		t.Fatal(err)
	}
	if list := here.worklist(t); len(list.Waiting) != 0 {
		t.Errorf("left: %+v", list.Waiting)
	}
}

// TestWidened: a second line before the first was done makes one item of both, as
// old as the first; a note on the former is refused, since it says too little.
func TestWidened(t *testing.T) {
	here, _, _ := site3(t)
	wide := aMirror("Denise")
	wide.Scopes = append(wide.Scopes, mandate.Papiers)
	m := here.mirror(t, wide)[0]
	here.stop(t, m, 1)
	former := here.item(t)
	here.land.clock.Advance(48 * time.Hour)
	here.stop(t, m, 2)
	both := here.item(t)
	if len(both.Scopes) != 2 || !both.Stopped.Equal(former.Stopped) || !both.Due.Equal(former.Due) || both.ID == former.ID {
		t.Errorf("both: %+v", both)
	}
	refused(t, here.NoteWorkDone(t.Context(), here.by, []node.WorkID{former.ID}, "23/11/2026"), fault.Stale, "")
}

func TestNoteWorkDone(t *testing.T) {
	here, _, _ := site3(t)
	m := here.mirror(t, aMirror("Denise"))[0]
	here.stop(t, m)
	item := here.item(t)
	note := func(by node.Actor, day string, items ...node.WorkID) error {
		return here.NoteWorkDone(t.Context(), by, items, day)
	}
	for name, c := range map[string]struct {
		by    node.Actor
		day   string
		items []node.WorkID
		code  fault.Code
		field string
	}{
		"ErrNoDay":     {here.by, "", []node.WorkID{item.ID}, fault.Invalid, "done"},
		"ErrMonth":     {here.by, "11/2026", []node.WorkID{item.ID}, fault.Invalid, "done"},
		"ErrTomorrow":  {here.by, "22/11/2026", []node.WorkID{item.ID}, fault.Invalid, "done"},
		"ErrBefore":    {here.by, "20/11/2026", []node.WorkID{item.ID}, fault.Invalid, "done"},
		"ErrNone":      {here.by, "21/11/2026", nil, fault.Invalid, "items"},
		"ErrUnknown":   {here.by, "21/11/2026", []node.WorkID{item.ID, id.Random[node.WorkID]()}, fault.Stale, ""},
		"ErrForbidden": {node.Actor{Helper: here.by.Helper, Role: people.RoleAdministrator}, "21/11/2026", []node.WorkID{item.ID}, fault.Forbidden, ""},
	} {
		t.Run(name, func(t *testing.T) { refused(t, note(c.by, c.day, c.items...), c.code, c.field) })
	}
	t.Run("ErrOtherStructure", func(t *testing.T) {
		stranger := here.by
		stranger.Structure = territory.StructureID{9}
		refused(t, note(stranger, "21/11/2026", item.ID), fault.Stale, "")
		if list, err := here.Worklist(t.Context(), stranger); err != nil || len(list.Waiting)+len(list.Done) != 0 {
			t.Errorf("another structure sees %+v, %v", list, err)
		}
	})
	if here.item(t).ID != item.ID {
		t.Fatal("a note that was refused changed the list")
	}
	for range 2 {
		if err := note(here.by, "21/11/2026", item.ID); err != nil {
			t.Fatal(err)
		}
	}
	list := here.worklist(t)
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, people.Zone("Europe/Paris"))
	if len(list.Waiting) != 0 || len(list.Done) != 1 || !list.Done[0].Items[0].Done.Equal(day) || list.Done[0].Items[0].NotedBy != "Camille Exemple" {
		t.Errorf("noted: %+v", list)
	}
	if again := here.stop(t, m); !again.Already || len(again.StillActive) != 1 || !again.StillActive[0].Done.Equal(day) {
		t.Errorf("the receipt afterwards: %+v", again)
	}
	_, err := here.RecordAct(t.Context(), here.by, act(m, 1))
	if text := fault.Of(err).Message; !strings.Contains(text, "arrêté aussi dans Aidants Connect") {
		t.Errorf("the refusal afterwards: %q", text)
	}
	for range 2 {
		if err := here.ReopenWork(t.Context(), here.by, item.ID); err != nil && !fault.Is(err, fault.Stale) {
			t.Fatal(err)
		}
	}
	if back := here.item(t); !back.Due.Equal(item.Due) || !back.Stopped.Equal(item.Stopped) {
		t.Errorf("taken back: %+v, before %+v", back, item)
	}
	for kind, want := range map[journal.Kind]int{journal.KindWorkDone: 1, journal.KindWorkReopen: 1} {
		if n, err := here.CountEntries(t.Context(), kind); err != nil || n != want {
			t.Errorf("%d entries %s, %v", n, kind, err)
		}
	}
	here.land.clock.Advance(15 * 24 * time.Hour)
	if list := here.worklist(t); len(list.Done) != 0 {
		t.Errorf("remembered for ever: %+v", list.Done)
	}
}

// TestNoWork: mandates made here, those that are over, and those that end by
// themselves leave nothing to do.
func TestNoWork(t *testing.T) {
	here, _, _ := site3(t)
	here.stop(t, here.signed(t))
	m := here.mirror(t, aMirror("Denise"), aMirror("Yves"))
	here.stop(t, m[0])
	if here.item(t).Mandate != m[0] {
		t.Error("a mandate made here is on the list")
	}
	here.land.clock.Advance(22 * 24 * time.Hour) // it ended by itself, here and there
	here.stop(t, m[1])
	if list := here.worklist(t); len(list.Waiting) != 0 || here.rows(t, "worklist") != 1 {
		t.Errorf("over, and still to be stopped: %+v", list.Waiting)
	}
	if v, err := here.Notice(t.Context(), m[0]); err != nil || v.StillActive != nil {
		t.Errorf("over, and still active: %+v, %v", v.StillActive, err)
	}
}

// TestWorkMovesWithRoster: when the hub that entered a mandate no longer serves the
// structure, the next one keeps the list, from what it knows; and back.
func TestWorkMovesWithRoster(t *testing.T) {
	here, there, third := site3(t)
	m := here.mirror(t, aMirror("Denise"))[0]
	spread(t, here.hub, there.hub, third)
	dossierTo(t, here.hub, there.hub, m)
	here.stop(t, m)
	spread(t, here.hub, there.hub, third)
	before := here.item(t)
	lists := func(want ...int) {
		t.Helper()
		for i, h := range []*hub{here.hub, there.hub, third} {
			if n, err := h.CountRows(t.Context(), "worklist"); err != nil || n != want[i] {
				t.Errorf("%s lists %d items, want %d (%v)", h.Name(), n, want[i], err)
			}
		}
	}
	lists(1, 0, 0)
	here.land.clock.Advance(time.Hour)
	here.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[1:] })
	lists(0, 1, 0)
	moved := there.item(t)
	if !moved.Due.Equal(before.Due) || moved.Owner != "" {
		t.Errorf("there: %+v; before: %+v", moved, before)
	}
	if list := there.worklist(t); list.Waiting[0].Person == nil || list.Waiting[0].Person.Name.Given != "Denise" {
		t.Errorf("there it names %+v", list.Waiting[0].Person)
	}
	here.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = []territory.HubID{here.Self(), third.Self()} })
	lists(1, 0, 0)
}

// TestWorkWhateverOrder: what a hub that is no longer there said comes late, in any
// order and more than once: it is one item, of who keeps the list now.
func TestWorkWhateverOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []int
	}{{"InOrder", []int{0, 1}}, {"StopFirst", []int{1, 0, 1}}} {
		t.Run(c.name, func(t *testing.T) {
			l, g := newLand(t), newGhost(t)
			a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
			n := l.notice(record.NewStopCode())
			n.Regime = record.AidantsConnect
			said := [][]byte{g.say(t, l.clock.Now(), n), g.say(t, l.clock.Now(), l.stop(n.Mandate, 0))}
			end, err := record.Parse(said[1])
			if err != nil {
				t.Fatal(err)
			}
			l.enrol(t, join(g), func(r *territory.Roster) {
				r.Hubs[2].State = territory.HubExpelled
				r.Hubs[2].Cuts = []territory.Cut{{Incarnation: 1, Seq: end.Seq, Hash: end.Hash[:]}}
			})
			for _, i := range c.order {
				apply(t, a, g.id, said[i])
				apply(t, b, g.id, said[i])
			}
			for h, want := range map[*hub]int{a: 1, b: 0} {
				if n, err := h.CountRows(t.Context(), "worklist"); err != nil || n != want {
					t.Errorf("%s: %d items, want %d (%v)", h.Name(), n, want, err)
				}
			}
			d := l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
			if list := d.worklist(t); len(list.Waiting) != 1 || list.Waiting[0].Person != nil {
				t.Errorf("a person whose dossier is not here: %+v", list.Waiting)
			}
		})
	}
}
