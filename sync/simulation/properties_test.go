package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// property is what must hold whatever happens.
type property string

const (
	reaches property = "a revocation reaches every connected hub"
	stays   property = "a revocation is never undone"
	alike   property = "hubs that know the same answer alike"
	allowed property = "nobody stores what it may not"
	agrees  property = "journal and records agree"
	gone    property = "what was forgotten is nowhere readable once it is confirmed"
)

// bug is a fault of the simulation's own, which the property that it is for must
// find.
type bug int

const (
	none          bug = iota
	swallowStops      // what others say is stopped is not taken
	forgetStops       // a stop that was taken is forgotten
	stopUnsaid        // one hub refuses what nobody stopped
	strayDossier      // a dossier where it is not served
	strayRecord       // a record of another territory
	deafToRosters     // no roster is taken but the first
	loseRecord        // a record of which the journal tells is gone
	deafToClocks      // nobody is told of others' clocks
	confirmOnly       // hubs say that they forgot, and did not
	riseAgain         // what was forgotten comes back
)

// calmAfter is how long after the last stir every hub that may hear another does:
// a call that failed is tried again after a minute, a fifth more or less, and may
// fail once more.
const calmAfter = 3 * time.Minute

// soon is within what a stop reaches every hub of a calm territory: where
// segments are lost, and frames, vectors tell of it at the next push/pull.
const soon = 90 * time.Second

// violate notes that a property does not hold.
func (w *world) violate(p property, format string, args ...any) {
	w.broken[p] = append(w.broken[p], fmt.Sprintf(format, args...))
}

// question is about a line of a mandate.
type question struct {
	mandate int
	line    uint8
}

func (w *world) questions() (all []question) {
	for i := range w.mandates {
		all = append(all, question{i, 1}, question{i, 2})
	}
	return all
}

// answer is Usable without what each hub knows by itself: its clock, its papers,
// the helpers it has.
type answer string

const (
	unknown   answer = "unknown"
	stoppedIs answer = "stopped"
	doubted   answer = "doubted" // two notices, or two histories: nobody may use it
	stands    answer = "stands"
)

// refuses tells whether nobody may use the line, whoever asks.
func (a answer) refuses() bool { return a == stoppedIs || a == doubted }

func (h *hub) answer(t *testing.T, q question) answer {
	t.Helper()
	v, err := h.Usable(t.Context(), h.by(), h.world.mandates[q.mandate].mandate, q.line)
	check(t, err)
	switch v.Why {
	case mandate.WhyUnknown:
		return unknown
	case mandate.WhyConflict, mandate.WhyQuarantined:
		return doubted
	case mandate.WhyStopped, mandate.WhyDone:
		return stoppedIs
	}
	return stands
}

// look checks all that holds at any moment. Nobody moves meanwhile.
func (w *world) look(t *testing.T) {
	t.Helper()
	synctest.Wait()
	by := make(map[string]*hub)
	answers := make(map[*hub][]answer)
	for _, h := range w.hubs {
		if !h.awake() {
			continue
		}
		for _, q := range w.questions() {
			answers[h] = append(answers[h], h.answer(t, q))
		}
		w.lookStays(t, h, answers[h])
		w.lookAllowed(t, h)
		w.lookGone(t, h)
		knows := h.knows(t)
		if knows == "" {
			continue
		}
		if other := by[knows]; other == nil {
			by[knows] = h
		} else if w.count.alike++; !slices.Equal(answers[h], answers[other]) {
			w.violate(alike, "%s says %v, %s says %v", h.host, answers[h], other.host, answers[other])
		}
	}
	w.lookCalm(t)
	w.plant(t)
}

// lookStays checks that what was refused because it was stopped is refused.
func (w *world) lookStays(t *testing.T, h *hub, answers []answer) {
	t.Helper()
	if h.seen == nil {
		h.seen = make(map[question]bool)
	}
	for i, q := range w.questions() {
		if h.seen[q] && !answers[i].refuses() && !h.cutOff(t, q) {
			w.violate(stays, "line %d of %d was stopped at %s, and is %s", q.line, q.mandate, h.host, answers[i])
		}
		h.seen[q] = answers[i] == stoppedIs || h.seen[q] && answers[i].refuses()
	}
}

// cutOff tells whether a stop of the mandate was first heard from a hub that had been
// out for longer than clocks explain: that counts for nothing, whatever came first.
func (h *hub) cutOff(t *testing.T, q question) bool {
	t.Helper()
	of := h.world.mandates[q.mandate].mandate
	for _, out := range h.Roster().Hubs {
		since := out.ExpelledAt.Add(record.MaxClockSkew).UnixMilli()
		if out.State == territory.HubExpelled && h.number(t, `SELECT count(*) FROM records WHERE kind = 2 AND bar = 'cut'
			AND hub = ? AND received > ? AND instr(payload, ?) > 0`, out.ID[:], since, of[:]) > 0 {
			return true
		}
	}
	return false
}

// number is one number from what the hub stores.
func (h *hub) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	check(t, h.rows.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// knows is what the hub knows, as its vector says it; empty while it holds more
// than its vector says.
func (h *hub) knows(t *testing.T) string {
	t.Helper()
	if h.number(t, `SELECT count(*) FROM records r LEFT JOIN logs l USING (hub, incarnation) WHERE r.signature IS NULL OR r.bar <> 'cut' AND r.seq > coalesce(l.head, 0)`) > 0 {
		return ""
	}
	var logs string
	check(t, h.rows.QueryRowContext(t.Context(),
		`SELECT coalesce(group_concat(hex(hub) || incarnation || '/' || head || hex(hash), ' '), '') FROM (SELECT * FROM logs WHERE head > 0 ORDER BY hub, incarnation)`).Scan(&logs))
	return fmt.Sprint(h.Roster().Version, " ", logs)
}

// lookAllowed checks what the hub stores.
func (w *world) lookAllowed(t *testing.T, h *hub) {
	t.Helper()
	office := w.officeOf(h.index)
	if n := h.number(t, `SELECT count(*) FROM dossiers d WHERE NOT EXISTS
		(SELECT 1 FROM records WHERE kind = 1 AND instr(payload, d.mandate) > 0 AND instr(payload, ?) > 0)`, office[:]); n > 0 {
		w.violate(allowed, "%s keeps %d dossiers that it does not serve", h.host, n)
	}
	rows, err := h.rows.QueryContext(t.Context(), `SELECT hub, incarnation, seq, bar, payload, signature FROM records WHERE signature IS NOT NULL`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var hub, payload, signature []byte
		var incarnation uint16
		var seq uint32
		var bar string
		check(t, rows.Scan(&hub, &incarnation, &seq, &bar, &payload, &signature))
		id := territory.HubID(hub)
		e, err := record.Parse(record.Assemble(id, payload, [64]byte(signature)))
		check(t, err)
		author, listed := w.roster.Author(id)
		switch {
		case e.Territory != code:
			w.violate(allowed, "%s keeps a record of %q", h.host, e.Territory)
		case !listed:
			w.violate(allowed, "%s keeps a record of %s, whom nobody knows", h.host, id)
		case e.Verify(author.Key) != nil:
			w.violate(allowed, "%s keeps a record that %s did not sign", h.host, id)
		case seq == refusedSeq:
			w.violate(allowed, "%s keeps what %s said when all knew its cut", h.host, id)
		case bar != "cut" && w.told != nil && h.Roster().Version == w.roster.Version && !author.Admits(incarnation, seq, e.Hash):
			w.violate(allowed, "%s lets count what %s said above its cut", h.host, id)
		}
	}
	check(t, rows.Err())
}

// readable are the mandates of which a hub could open what they say of a person.
const readable = `(SELECT mandate FROM dossiers UNION
	SELECT m.id FROM mandates m JOIN persons p ON p.id = m.person WHERE p.wrapped IS NOT NULL OR length(m.content) > 0)`

// lookGone checks that what a hub forgot is not readable there, nor at any hub that
// told it that it forgot too.
func (w *world) lookGone(t *testing.T, h *hub) {
	t.Helper()
	if n := h.number(t, `SELECT count(*) FROM forgotten WHERE mandate IN `+readable); n > 0 {
		w.violate(gone, "%s reads %d mandates that it forgot", h.host, n)
	}
	for _, other := range w.hubs {
		if !other.awake() || other.copied {
			continue
		}
		self := other.self()
		for _, m := range w.mandates {
			if h.number(t, `SELECT count(*) FROM forgets WHERE mandate = ? AND hub = ? AND confirmed > 0`, m.mandate[:], self[:]) == 0 {
				continue
			}
			w.count.confirmed++
			if other.number(t, `SELECT ? IN `+readable, m.mandate[:]) > 0 {
				w.violate(gone, "%s told %s that it forgot, and did not", other.host, h.host)
			}
		}
	}
}

// lookCalm checks that stops in a calm territory are everywhere by now.
func (w *world) lookCalm(t *testing.T) {
	t.Helper()
	for _, s := range w.stops {
		if s.calm = s.calm && !w.stirred.After(s.at); !s.calm || time.Since(s.at) < soon || !w.counts(s) || !s.hub.awake() {
			continue
		}
		s.calm = false
		w.count.calm++
		for _, h := range w.hubs {
			if !h.awake() || h.copied || w.state(h.self()) != territory.HubActive || !w.meet(h, s.hub) {
				continue
			}
			if a := h.answer(t, question{s.mandate, max(s.line, 1)}); a == stands {
				w.violate(reaches, "%d, stopped at %s, is %s at %s after %v", s.mandate, s.hub.host, a, h.host, time.Since(s.at))
			}
		}
	}
}

// meet tells whether two hubs that run hear each other: nothing is cut between them
// and, if neither can be called, there is one that can.
func (w *world) meet(a, b *hub) bool {
	if w.sides[a.host] != w.sides[b.host] {
		return false
	}
	return len(a.called()) > 0 || len(b.called()) > 0 || slices.ContainsFunc(w.members(), func(r *hub) bool {
		return !r.copied && len(r.called()) > 0 && w.sides[r.host] == w.sides[a.host]
	})
}

// counts tells whether all that a stop's hub says counts: no cut closed its logs.
func (w *world) counts(s *stop) bool {
	return s.identity == s.hub.self() && !s.hub.copied && w.state(s.identity) == territory.HubActive
}

// members are the hubs of the territory that run.
func (w *world) members() (list []*hub) {
	for _, h := range w.hubs {
		if h.awake() && w.state(h.self()) == territory.HubActive {
			list = append(list, h)
		}
	}
	return list
}

// settle ends the cut, wakes who sleeps and sends the clone away, and waits until
// all know the same.
func (w *world) settle(t *testing.T) {
	t.Helper()
	w.told = append(w.told, time.Now().Format("02 15:04:05")+" settle")
	w.heal(t)
	for _, h := range w.hubs {
		switch {
		case h.twin && h.awake():
			h.end()
		case !h.twin && !h.awake():
			h.start(t)
		}
		h.gone = h.twin
	}
	w.stir()
	for range 20 {
		time.Sleep(time.Minute)
		synctest.Wait()
		if w.together(t) {
			return
		}
	}
	for _, h := range w.members() {
		w.violate(reaches, "after %v %s knows %q", time.Since(w.stirred), h.host, h.knows(t))
	}
}

func (w *world) together(t *testing.T) bool {
	t.Helper()
	members := w.members()
	first := members[0].knows(t)
	return first != "" && !slices.ContainsFunc(members, func(h *hub) bool { return h.knows(t) != first })
}

// lookSettled checks what holds once everybody has heard everybody.
func (w *world) lookSettled(t *testing.T) {
	t.Helper()
	for _, h := range w.members() {
		if h.Roster().Version != w.roster.Version {
			w.violate(allowed, "%s lets count what roster %d closed: it has %d", h.host, w.roster.Version, h.Roster().Version)
		}
	}
	said := w.stopsThatCount(t)
	for q := range said {
		for _, h := range w.members() {
			if a := h.answer(t, q); !a.refuses() {
				w.violate(reaches, "line %d of %d was stopped, and is %s at %s", q.line, q.mandate, a, h.host)
			}
		}
	}
	for _, s := range w.stops {
		if !w.counts(s) {
			continue
		}
		for line := uint8(1); line <= 2; line++ {
			if q := (question{s.mandate, line}); (s.line == 0 || s.line == line) && !said[q] {
				w.violate(reaches, "nobody has the stop of line %d of %d that %s was told", line, s.mandate, s.hub.host)
			}
		}
	}
	for _, h := range w.hubs {
		if h.awake() {
			w.lookAgrees(t, h)
		}
	}
}

// stopsThatCount are what any member's records stop.
func (w *world) stopsThatCount(t *testing.T) map[question]bool {
	t.Helper()
	said := make(map[question]bool)
	for _, h := range w.members() {
		for _, q := range w.questions() {
			of := w.mandates[q.mandate].mandate
			if h.number(t, `SELECT count(*) FROM revocations v JOIN records r ON r.id = v.record
				WHERE v.mandate = ? AND r.bar = '' AND r.signature IS NOT NULL AND (v.lines = 0 OR v.lines & ? <> 0)`, of[:], 1<<(q.line-1)) > 0 {
				said[q] = true
			}
		}
	}
	return said
}

// lookAgrees checks that the journal tells of every record, and of no other.
func (w *world) lookAgrees(t *testing.T, h *hub) {
	t.Helper()
	count := func(kinds string) int {
		return h.number(t, `SELECT count(*) FROM journal WHERE kind IN (`+kinds+`)`)
	}
	own := func(kind record.Kind) int {
		return h.number(t, `SELECT count(*) FROM records WHERE source IS NULL AND kind = ?`, kind)
	}
	if said, made := count(`'mandate.grant'`), own(record.KindNotice); said != made {
		w.violate(agrees, "%s: %d grants in the journal, %d notices", h.host, said, made)
	}
	if said, made := count(`'mandate.stop', 'mandate.end'`), own(record.KindRevocation); said != made {
		w.violate(agrees, "%s: %d stops in the journal, %d revocations", h.host, said, made)
	}
	rows, err := h.rows.QueryContext(t.Context(), `SELECT public FROM journal WHERE kind = 'records.apply'`)
	check(t, err)
	defer rows.Close()
	said := 0
	for rows.Next() {
		var public []byte
		var entry struct {
			New int `cbor:"new"`
		}
		check(t, rows.Scan(&public))
		check(t, cbor.Unmarshal(public, &entry))
		said += entry.New
	}
	check(t, rows.Err())
	if kept := h.number(t, `SELECT count(*) FROM records WHERE source IS NOT NULL`); said != kept {
		w.violate(agrees, "%s: %d records came by the journal, %d are here", h.host, said, kept)
	}
}

// lookFolders verifies the journals of hubs that stopped.
func (w *world) lookFolders(t *testing.T) {
	t.Helper()
	for _, h := range w.hubs {
		report, err := node.VerifyFolder(context.Background(), h.dir)
		check(t, err)
		if !report.OK {
			w.violate(agrees, "%s: %s", h.host, report.Problem)
		}
	}
}

// plant brings in a bug that sits in what a hub stores, once there is something to
// spoil.
func (w *world) plant(t *testing.T) {
	t.Helper()
	for _, h := range w.members() {
		if h.copied || h.index != 1 && h.index != 3 {
			continue
		}
		for _, query := range spoilings[w.planted] {
			_, err := h.rows.ExecContext(t.Context(), query)
			check(t, err)
		}
		if w.planted == strayRecord {
			w.stray(t, h)
		}
	}
}

// spoilings are what the bugs that sit in a database do to it, again and again.
var spoilings = map[bug][]string{
	forgetStops:  {`UPDATE notices SET stopped = 0, all_stopped = 0`},
	stopUnsaid:   {`UPDATE notices SET all_stopped = 1`},
	strayDossier: {`INSERT OR IGNORE INTO dossiers SELECT mandate, x'00', 1 FROM notices`},
	riseAgain:    {`INSERT OR IGNORE INTO dossiers SELECT mandate, x'00', 1 FROM forgotten`},
	loseRecord: {
		`DELETE FROM revocations WHERE record IN (SELECT id FROM records WHERE kind = 2)`,
		`DELETE FROM records WHERE kind = 2`,
	},
}

// stray stores a record as no hub would.
func (w *world) stray(t *testing.T, h *hub) {
	t.Helper()
	e, err := record.Parse(forged(t, "ailleurs", h.signer, w.mandates[0].mandate, refusedSeq))
	check(t, err)
	_, err = h.rows.ExecContext(t.Context(), `INSERT INTO records (hub, incarnation, seq, hash, prev, kind, time, payload, signature, received, bar)
		VALUES (?, 1, ?, ?, ?, 2, 1, ?, ?, 1, '')`, e.Hub[:], w.draw.Uint32(), e.Hash[:], e.Prev[:], e.Payload, e.Signature[:])
	check(t, err)
}

// tale is what happened, for who reads of a failure.
func (w *world) tale() string { return strings.Join(w.told, "\n") }
