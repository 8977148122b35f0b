package node_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

func TestGrant(t *testing.T) {
	d := newDesk(t)
	visit := d.drafted(t)
	recap, err := d.Recap(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	approval := node.Approval{Recap: recap.Hash, Code: d.code(t)}
	m, err := d.Grant(t.Context(), d.by, visit, approval)
	if err != nil {
		t.Fatal(err)
	}
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	if got := view.End.Sub(view.Start); got != 31*24*time.Hour || !view.Start.Equal(d.land.clock.Now()) {
		t.Errorf("from %s, for %s", view.Start, got)
	}
	if view.Beneficiary.Name.Full() != "Denise Le Goff" || view.Beneficiary.BirthDate != "1948-03-12" || len(view.Lines) != 2 || view.Lines[1].Number != 2 {
		t.Errorf("mandate %+v", view.Mandate)
	}
	if view.State != mandate.StateAwaitingPaper || view.LineVerdicts[0].Why != mandate.WhyPaper || view.OriginName != "Valbrume" {
		t.Errorf("state %s, verdict %+v, origin %q", view.State, view.LineVerdicts[0], view.OriginName)
	}
	if view.Published || view.StopCode == nil {
		t.Errorf("published %v, stop code %v", view.Published, view.StopCode)
	}
	if text := mandate.JoinArticles(view.Articles); mandate.TextHash(text) != view.Text || !strings.Contains(text, "Denise Le Goff") {
		t.Error("the text shown is not the one that was hashed")
	}
	if notice, err := d.Notice(t.Context(), m); err != nil || notice.Lines != 2 || !notice.Start.Equal(view.Start) || !notice.HasDossier {
		t.Errorf("notice %+v, %v", notice, err)
	}
	visited, err := d.Accompaniment(t.Context(), d.by, visit)
	if err != nil || visited.Mandate != m || visited.HasDraft || visited.State != mandate.StateAwaitingPaper || visited.Person.Name.Given != "Denise" {
		t.Errorf("the visit shows %+v, %v", visited, err)
	}

	t.Run("DoubleSubmit", func(t *testing.T) {
		for range 2 {
			again, err := d.Grant(t.Context(), d.by, visit, approval)
			if err != nil || again != m {
				t.Errorf("the second submit made %s, %v", again, err)
			}
		}
		for _, table := range []string{"mandates", "notices", "persons"} {
			if n := d.rows(t, table); n != 1 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
		if n, err := d.CountEntries(t.Context(), journal.KindMandateGrant); err != nil || n != 1 {
			t.Errorf("%d entries, %v", n, err)
		}
	})
	t.Run("ErrDraftAfterwards", func(t *testing.T) {
		_, err := d.SaveDraft(t.Context(), d.by, wholeDraft(visit))
		refused(t, err, fault.Conflict, "")
	})
	t.Run("OneCodeOneGrant", func(t *testing.T) {
		second := d.drafted(t)
		recap, err := d.Recap(t.Context(), d.by, second)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Grant(t.Context(), d.by, second, node.Approval{Recap: recap.Hash, Code: approval.Code})
		refused(t, err, fault.Unauthenticated, "code")
		if fault.Of(err).Wait <= 0 {
			t.Error("the answer does not say when the next code begins")
		}
		if n := d.rows(t, "mandates"); n != 1 {
			t.Errorf("%d mandates", n)
		}
	})
}

// Two submits at the same moment make one mandate.
func TestGrantAtOnce(t *testing.T) {
	d := newDesk(t)
	visit := d.drafted(t)
	recap, err := d.Recap(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	approval := node.Approval{Recap: recap.Hash, Code: d.code(t)}
	type answer struct {
		id  mandate.ID
		err error
	}
	answers := make(chan answer)
	for range 8 {
		go func() {
			m, err := d.Grant(t.Context(), d.by, visit, approval)
			answers <- answer{m, err}
		}()
	}
	first := <-answers
	for range 7 {
		if a := <-answers; a != first {
			t.Errorf("one submit got %v, another %v", first, a)
		}
	}
	if first.err != nil || d.rows(t, "mandates") != 1 || d.rows(t, "persons") != 1 {
		t.Errorf("%v; %d mandates, %d persons", first.err, d.rows(t, "mandates"), d.rows(t, "persons"))
	}
}

func TestGrantRefused(t *testing.T) {
	d := newDesk(t)
	visit := d.drafted(t)
	recap, err := d.Recap(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	unchanged := func(t *testing.T) {
		t.Helper()
		for _, table := range []string{"mandates", "notices", "records", "persons"} {
			if n := d.rows(t, table); n != 0 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
		if draft, err := d.Draft(t.Context(), d.by, visit); err != nil || draft.Version == 0 {
			t.Errorf("the draft was lost: %v", err)
		}
	}
	grant := func(t *testing.T, code fault.Code, field string, a node.Approval) {
		t.Helper()
		_, err := d.Grant(t.Context(), d.by, visit, a)
		refused(t, err, code, field)
		unchanged(t)
	}
	t.Run("ErrWrongCode", func(t *testing.T) {
		d.land.clock.Advance(time.Hour)
		grant(t, fault.Unauthenticated, "code", node.Approval{Recap: recap.Hash, Code: "000000"})
	})
	t.Run("ErrNoCode", func(t *testing.T) {
		grant(t, fault.Unauthenticated, "code", node.Approval{Recap: recap.Hash})
	})
	t.Run("ErrLimited", func(t *testing.T) {
		for range 4 {
			_, err = d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: "000000"})
		}
		refused(t, err, fault.Limited, "code")
		if wait := fault.Of(err).Wait; wait <= 0 || wait > 30*time.Second {
			t.Errorf("asks to wait %s", wait)
		}
		unchanged(t)
		d.land.clock.Advance(time.Hour)
	})
	t.Run("ErrOtherRecap", func(t *testing.T) {
		other := recap.Hash
		other[0]++
		grant(t, fault.Stale, "", node.Approval{Recap: other, Code: d.code(t)})
	})
	t.Run("ErrStaleDraft", func(t *testing.T) {
		draft, err := d.Draft(t.Context(), d.by, visit)
		if err != nil {
			t.Fatal(err)
		}
		draft.Term = mandate.Long
		if _, err := d.SaveDraft(t.Context(), d.by, draft); err != nil {
			t.Fatal(err)
		}
		grant(t, fault.Stale, "", node.Approval{Recap: recap.Hash, Code: d.code(t)})
		if recap, err = d.Recap(t.Context(), d.by, visit); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("ErrScopeClosed", func(t *testing.T) {
		d.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Scopes = []string{"argent"} })
		grant(t, fault.Forbidden, "lines", node.Approval{Recap: recap.Hash, Code: d.code(t)})
		d.land.enrol(t)
	})
	t.Run("ErrSuspendedHelper", func(t *testing.T) {
		suspension := author(t, d.hub, &record.Helper{Helper: d.by.Helper})
		_, err = d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: d.code(t)})
		refused(t, err, fault.Forbidden, "")
		if n := d.rows(t, "mandates"); n != 0 {
			t.Errorf("%d mandates", n)
		}
		lifts := &record.Position{Index: 1, Incarnation: suspension.Incarnation, Seq: suspension.Seq}
		author(t, d.hub, &record.Helper{Helper: d.by.Helper, Lifts: lifts})
	})
	t.Run("ErrOtherStructure", func(t *testing.T) {
		_, err := d.Grant(t.Context(), d.stranger(t), visit, node.Approval{Recap: recap.Hash, Code: d.code(t)})
		refused(t, err, fault.NotFound, "")
	})
	t.Run("ErrClockBehind", func(t *testing.T) {
		d.land.clock.Advance(-48 * time.Hour)
		_, err := d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: d.codeNow(t)})
		refused(t, err, fault.Unavailable, "")
		d.land.clock.Advance(48 * time.Hour)
	})
	t.Run("AndThenGranted", func(t *testing.T) {
		if _, err := d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: d.code(t)}); err != nil {
			t.Error(err)
		}
	})
}

func TestPaper(t *testing.T) {
	d := newDesk(t)
	m := d.grant(t)
	view := func() node.MandateView {
		t.Helper()
		v, err := d.Mandate(t.Context(), d.by, m)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	code := view().StopCode
	for range 2 {
		if err := d.MarkPrinted(t.Context(), d.by, m); err != nil {
			t.Error(err)
		}
		d.land.clock.Advance(time.Minute)
	}
	printed := view()
	if printed.Paper.PrintedAt.IsZero() || printed.Version <= 1 || printed.StopCode == nil || *printed.StopCode != *code {
		t.Errorf("after printing: %+v, version %d", printed.Paper, printed.Version)
	}
	refused(t, d.ConfirmPaper(t.Context(), d.by, m, false, true), fault.Invalid, "signed")
	refused(t, d.ConfirmPaper(t.Context(), d.by, m, true, false), fault.Invalid, "handed")
	if view().State != mandate.StateAwaitingPaper {
		t.Error("half a confirmation counts")
	}
	for range 2 {
		if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
			t.Error(err)
		}
	}
	signed := view()
	if signed.State != mandate.StateActive || !signed.Paper.Complete() || signed.StopCode != nil || signed.Version <= printed.Version {
		t.Errorf("after signing: %s, %+v, code %v", signed.State, signed.Paper, signed.StopCode)
	}
	if !signed.Paper.PrintedAt.Equal(printed.Paper.PrintedAt) {
		t.Error("the first printing moved")
	}
	for kind, want := range map[journal.Kind]int{journal.KindMandatePrint: 1, journal.KindMandatePaper: 1} {
		if n, err := d.CountEntries(t.Context(), kind); err != nil || n != want {
			t.Errorf("%d entries %s, %v", n, kind, err)
		}
	}
	refused(t, d.ConfirmPaper(t.Context(), d.stranger(t), m, true, true), fault.NotFound, "")
	t.Run("ErrExpired", func(t *testing.T) {
		late := d.grant(t)
		d.land.clock.Advance(31 * 24 * time.Hour)
		refused(t, d.ConfirmPaper(t.Context(), d.by, late, true, true), fault.Forbidden, "")
	})
	t.Run("StopCodeStillStops", func(t *testing.T) {
		other := d.grant(t)
		v, err := d.Mandate(t.Context(), d.by, other)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.ConfirmPaper(t.Context(), d.by, other, true, true); err != nil {
			t.Fatal(err)
		}
		if _, err := d.StopByCode(t.Context(), v.StopCode.String(), "kiosque"); err != nil {
			t.Fatal(err)
		}
		if v, err := d.Mandate(t.Context(), d.by, other); err != nil || v.State != mandate.StateStopped || len(v.Stops) != 1 || v.Stops[0].WhereName != "Valbrume" {
			t.Errorf("after the kiosk: %s, %+v, %v", v.State, v.Stops, err)
		}
	})
}

func TestMandatesList(t *testing.T) {
	d := newDesk(t)
	var all []mandate.ID
	for range 5 {
		all = append(all, d.grant(t))
	}
	for _, m := range all[:2] {
		if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
			t.Fatal(err)
		}
	}
	list := func(f node.MandateFilter) (ids []mandate.ID) {
		t.Helper()
		rows, err := d.Mandates(t.Context(), d.by, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.PersonName != "Denise Le Goff" || len(r.Services) != 2 || r.State == "" {
				t.Errorf("row %+v", r)
			}
			ids = append(ids, r.ID)
		}
		return ids
	}
	newest := func(ids ...int) (want []mandate.ID) {
		for _, i := range ids {
			want = append(want, all[i])
		}
		return want
	}
	for name, c := range map[string]struct {
		filter node.MandateFilter
		want   []mandate.ID
	}{
		"NewestFirst": {node.MandateFilter{Limit: 100}, newest(4, 3, 2, 1, 0)},
		"FirstPage":   {node.MandateFilter{Limit: 2}, newest(4, 3)},
		"NextPage":    {node.MandateFilter{Limit: 2, After: all[3]}, newest(2, 1)},
		"LastPage":    {node.MandateFilter{Limit: 2, After: all[1]}, newest(0)},
		"AfterLast":   {node.MandateFilter{Limit: 2, After: all[0]}, nil},
		"Active":      {node.MandateFilter{Limit: 1, State: mandate.StateActive}, newest(1)},
		"NextActive":  {node.MandateFilter{Limit: 1, State: mandate.StateActive, After: all[1]}, newest(0)},
		"Awaiting":    {node.MandateFilter{Limit: 100, State: mandate.StateAwaitingPaper}, newest(4, 3, 2)},
		"Stopped":     {node.MandateFilter{Limit: 100, State: mandate.StateStopped}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := list(c.filter)
			if len(got) != len(c.want) {
				t.Fatalf("%d rows, want %d", len(got), len(c.want))
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("row %d is another", i)
				}
			}
		})
	}
	other := d.stranger(t)
	if rows, err := d.Mandates(t.Context(), other, node.MandateFilter{Limit: 10}); err != nil || len(rows) != 0 {
		t.Errorf("another structure sees %d mandates, %v", len(rows), err)
	}
	_, err := d.Mandates(t.Context(), other, node.MandateFilter{Limit: 10, After: all[0]})
	refused(t, err, fault.NotFound, "")
	t.Run("Forgotten", func(t *testing.T) {
		v, err := d.Mandate(t.Context(), d.by, all[4])
		if err != nil {
			t.Fatal(err)
		}
		if err := d.ErasePerson(t.Context(), v.Beneficiary.ID); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Mandates(t.Context(), d.by, node.MandateFilter{Limit: 1})
		if err != nil || rows[0].PersonName != "Personne effacée" || rows[0].Services != nil {
			t.Errorf("row %+v, %v", rows, err)
		}
		_, err = d.Mandate(t.Context(), d.by, all[4])
		refused(t, err, fault.NotFound, "")
	})
}

// A dossier that came from another hub serves the desk there: same text, a person
// and a key of its own, paper to confirm again, no stop code.
func TestDossierElsewhere(t *testing.T) {
	l := newLand(t)
	valbrume, bus := l.newHub(t, "Valbrume"), l.newHub(t, "le bus")
	l.enrol(t)
	here := l.desk(t, valbrume, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	there := l.desk(t, bus, "sacha", people.Name{Given: "Sacha", Family: "Exemple"})
	m := here.signed(t)
	signAll(t, valbrume)
	pull(t, bus, valbrume)
	_, err := there.Mandate(t.Context(), there.by, m)
	refused(t, err, fault.NotFound, "")
	_, err = there.RecordAct(t.Context(), there.by, act(m, 1))
	refused(t, err, fault.NotFound, "")

	sealed, err := valbrume.Dossier(t.Context(), m, bus.Self())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := bus.PutDossier(t.Context(), m, sealed); err != nil {
			t.Fatal(err)
		}
	}
	mine, err := here.Mandate(t.Context(), here.by, m)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := there.Mandate(t.Context(), there.by, m)
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Text != mine.Text || mandate.JoinArticles(theirs.Articles) != mandate.JoinArticles(mine.Articles) || theirs.HelperName != "Camille Exemple" {
		t.Error("the text is another")
	}
	if theirs.Beneficiary.ID == mine.Beneficiary.ID || theirs.OriginName != "Valbrume" || theirs.StopCode != nil || !theirs.Published {
		t.Errorf("the bus shows %+v", theirs)
	}
	_, err = there.RecordAct(t.Context(), there.by, act(m, 1))
	refused(t, err, fault.Forbidden, "")
	if theirs.State != mandate.StateAwaitingPaper || !strings.Contains(fault.Of(err).Message, "signature") {
		t.Errorf("state %s, message %q", theirs.State, fault.Of(err).Message)
	}
	if err := there.ConfirmPaper(t.Context(), there.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	if _, err := there.RecordAct(t.Context(), there.by, act(m, 1)); err != nil {
		t.Error(err)
	}
	if n, err := bus.CountRows(t.Context(), "persons"); err != nil || n != 1 {
		t.Errorf("%d persons at the bus, %v", n, err)
	}
	t.Run("ErrAltered", func(t *testing.T) {
		altered := bytes.Clone(sealed)
		altered[len(altered)-1] ^= 1
		if err := bus.PutDossier(t.Context(), id.Random[mandate.ID](), altered); err == nil {
			t.Error("an altered dossier was kept")
		}
	})
}
