package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

const (
	// counterPatience is how long publication waits for a counter that does not
	// answer before this hub goes on in doubt. The key that signs is in the same
	// device, so that mostly nothing could be published meanwhile.
	counterPatience = 10 * time.Minute
	// doubtfulLogs is how many logs a hub may have before a doubt of every day no
	// longer opens another one: others keep record.MaxLogs of an author, and the
	// last of them are for what is known to have happened.
	doubtfulLogs = record.MaxLogs / 2
	// maxLeap bounds, at random, how far a new log's number leaps over those that
	// an older or a newer copy may have taken. It is for when no counter says more.
	maxLeap = 4096
)

// doubt is that this folder may not be the newest: somebody may know this hub's
// log further than it does. It lasts until all others were asked.
type doubt struct {
	Why    verdict `json:"why"`
	At     int64   `json:"at"`    // Unix ms
	Count  uint64  `json:"count"` // where the counter stood
	Opened bool    `json:"opened,omitempty"`
	// Counted is that the counter vouched for the log that was opened.
	Counted bool `json:"counted,omitempty"`
}

func (d doubt) since() time.Time { return time.UnixMilli(d.At).UTC() }

// settle asks the counter, once a run, whether this folder is the newest. Nothing
// is published before it is known. Only the signer loop calls it.
func (n *Node) settle(ctx context.Context) error {
	p := &n.proof
	if n.counter == nil || p.settled {
		return n.dispel(ctx)
	}
	count, lost, err := n.findCounter(ctx)
	if err == nil && lost == nil {
		count, err = n.passOver(ctx, count)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if p.asked.IsZero() {
		p.asked = time.Now()
	}
	silent := err != nil
	if silent && time.Since(p.asked) < counterPatience {
		return fmt.Errorf("the counter does not answer: %w", err)
	}
	if silent && p.silent {
		return n.dispel(ctx) // said already
	}
	if err := n.db.Write(ctx, func(tx *store.Tx) error { return n.weighCount(tx, count, lost, silent) }); err != nil {
		return err
	}
	p.settled, p.silent = !silent, silent
	return nil
}

// proof is what the signer loop knows of the counter. It is that loop's alone.
type proof struct {
	settled bool
	silent  bool      // it was said that it does not answer
	asked   time.Time // first, in this run
	failing time.Time // since when it does not count; zero: it does
}

// findCounter returns where the counter stands, and makes one where there is none;
// lost says why. The zero count means that none can be had.
func (n *Node) findCounter(ctx context.Context) (count Count, lost, err error) {
	count, err = askCounter(ctx, n.counter.Count)
	if !errors.Is(err, ErrNoCounter) {
		return count, nil, err
	}
	lost = err
	if count, err = askCounter(ctx, n.counter.Renew); errors.Is(err, ErrNoCounter) {
		n.log.WarnContext(ctx, "no counter can be had: an old copy of the folder would go unseen", "err", err)
		return Count{}, lost, nil
	}
	return count, lost, err
}

// passOver counts once more when the database is older than the counter, so that
// the value by which this doubt opens a log is no other doubt's, though nothing be
// published between the two.
func (n *Node) passOver(ctx context.Context, count Count) (Count, error) {
	var c continuity
	err := n.db.Read(ctx, func(r *store.Reader) (err error) { c, err = readContinuity(r); return err })
	if err != nil || c.weigh(count, false, false, false) != verdictRollback {
		return count, err
	}
	return askCounter(ctx, func() (Count, error) { return n.counter.Raise(count.Value + 1) })
}

// weighCount compares the counter with what the database remembers, in one
// transaction with what follows from it.
func (n *Node) weighCount(tx *store.Tx, count Count, lost error, silent bool) error {
	c, err := readContinuity(tx.Reader)
	if err != nil {
		return err
	}
	said, err := tx.HasSigned(n.self)
	if err != nil {
		return err
	}
	v := c.weigh(count, lost != nil, silent, said)
	if v == verdictBehind || v == verdictAgreed && c.Value != 0 {
		return nil
	}
	before := c
	switch v {
	case verdictAgreed: // for the first time
		c.Reached.Journal = tx.JournalSize()
		c.agree(count)
	case verdictAhead:
		c.agree(count)
	case verdictSilent:
	default:
		c.Next = nil
		c.agree(count)
	}
	if !silent {
		c.Without = count.Value == 0
	}
	if !v.doubtful() {
		return c.put(tx)
	}
	if kept := c.Doubt; v.everyDay() && kept != nil && !kept.Opened {
		kept.At = tx.Now.UnixMilli() // it says more, and still waits for its log
	} else {
		c.Doubt = &doubt{Why: v, At: tx.Now.UnixMilli(), Count: count.Value}
	}
	if err := c.put(tx); err != nil {
		return err
	}
	n.doubted.Store(true) // if this is undone, one look at the database clears it
	return n.beginDoubt(tx, before, c)
}

// weigh is judge for every hub: one that never had a counter, has lost it, or
// gets no answer.
func (c continuity) weigh(n Count, lost, silent, said bool) verdict {
	switch {
	case silent:
		return verdictSilent
	case c.Value == 0 && c.Without && said:
		return verdictNone
	case c.Value == 0 && !lost: // the counter was there before the database knew it
		return verdictRollback
	case c.Value == 0:
		return verdictAgreed
	case lost:
		return verdictLost
	}
	return c.judge(n)
}

func (v verdict) doubtful() bool {
	return v != verdictAgreed && v != verdictAhead && v != verdictBehind
}

// everyDay tells a doubt that comes back at each start from one that something
// done to the machine brings.
func (v verdict) everyDay() bool { return v == verdictNone || v == verdictSilent }

// beginDoubt writes the doubt down, and takes what was written since the start,
// before anybody could know, out of the log that may go on elsewhere.
func (n *Node) beginDoubt(tx *store.Tx, before, c continuity) error {
	n.log.Warn("this folder may not be the newest", "why", string(c.Doubt.Why), "kept", before.Value, "counter", c.Doubt.Count)
	err := n.note(tx, entry{Kind: journal.KindHubDoubt, Actor: actorMachine, Subject: n.self.String(), Public: map[string]any{
		"why": string(c.Doubt.Why), "kept": before.Value, "counter": c.Doubt.Count,
		"incarnation": before.Reached.Incarnation, "seq": before.Reached.Seq,
	}})
	if err != nil {
		return err
	}
	rows, err := tx.UnsignedRecords(n.self, math.MaxInt32)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.ID <= n.publishing.opened {
			continue // it was there already: whoever took the folder further signed this very record
		}
		if err := n.sayElsewhere(tx, row); err != nil {
			return fmt.Errorf("move record %d: %w", row.Seq, err)
		}
	}
	return nil
}

// sayElsewhere moves a record that nobody knows yet to the log that a doubt opens.
func (n *Node) sayElsewhere(tx *store.Tx, row store.RecordRow) error {
	e, err := row.Decode()
	if err != nil {
		return err
	}
	if err := tx.Forget(row.ID); err != nil {
		return err
	}
	if err := tx.DropUnsigned(row.ID); err != nil {
		return err
	}
	place, _, err := n.author(tx, e.Body)
	if err != nil {
		return err
	}
	return n.noteReissue(tx, row, place)
}

// beginAnew tells whether a doubt asks for a new log, and after which number to
// look for it (see leap). It notes that the log was opened.
func (n *Node) beginAnew(tx *store.Tx, log record.LogID) (after uint16, anew bool, err error) {
	if !n.doubted.Load() {
		return 0, false, nil
	}
	c, err := readContinuity(tx.Reader)
	if err != nil {
		return 0, false, err
	}
	if c.Doubt == nil || c.Doubt.Opened || n.confirmedSince(c.Doubt.since()) {
		return 0, false, nil
	}
	others, err := tx.CountOtherLogs(log)
	if err != nil || c.Doubt.Why.everyDay() && others+1 >= doubtfulLogs {
		return 0, false, err
	}
	c.Doubt.Opened = true
	return c.Doubt.leap(log.Incarnation), true, c.put(tx)
}

// leap is the incarnation after which to look for one of which nothing is known.
// Where the counter may be believed its value is the number: no copy of this
// folder opened a log by it, nor will. Elsewhere chance keeps copies apart.
func (d doubt) leap(last uint16) uint16 {
	if d.Why != verdictMoved && d.Count > uint64(last)+1 && d.Count <= math.MaxUint16 {
		return uint16(d.Count - 1)
	}
	return last + uint16(min(rand.N(maxLeap), (math.MaxUint16-int(last))/2))
}

// others are those who may know this hub's log: the active hubs of the roster, and
// the national service.
func (n *Node) others() (list []territory.HubID) {
	roster := n.Roster()
	if roster == nil {
		return nil
	}
	for _, hub := range roster.Hubs {
		if hub.State == territory.HubActive && hub.ID != n.self {
			list = append(list, hub.ID)
		}
	}
	if roster.National != nil {
		list = append(list, roster.National.ID)
	}
	return list
}

// confirmedSince tells whether all others were compared with since: what none of
// them knows of this hub's log, nobody does.
func (n *Node) confirmedSince(at time.Time) bool {
	others := n.others()
	for _, other := range others {
		if n.fresh.of(other, n.now()).compared.Before(at) {
			return false
		}
	}
	return len(others) > 0
}

// dispel ends a doubt whose reason has gone: all others were asked or, where there
// are none, another log was opened.
func (n *Node) dispel(ctx context.Context) error {
	if !n.doubted.Load() {
		return nil
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		c, err := readContinuity(tx.Reader)
		if err != nil || c.Doubt != nil && !n.confirmedSince(c.Doubt.since()) && (!c.Doubt.Opened || len(n.others()) > 0) {
			return err
		}
		n.doubted.Store(false)
		if c.Doubt == nil {
			return nil
		}
		c.Doubt = nil
		return c.put(tx)
	})
}

// grantsDoubtful refuses grants while this hub may be older than it thinks: until
// one other has told it what it knows. It refuses them for good where two machines
// speak in its name, for their mandates count nowhere. Stops are never refused.
func (n *Node) grantsDoubtful(r *store.Reader, now time.Time) error {
	forks, err := r.ForkedLogs(n.self)
	if err != nil {
		return err
	}
	if forks >= twinForks {
		return fault.Errorf(fault.Unavailable, twinned, "%d of this hub's own logs have two histories", forks)
	}
	if !n.doubted.Load() {
		return nil
	}
	c, err := readContinuity(r)
	if err != nil || c.Doubt == nil || len(n.others()) == 0 || !n.fresh.latest(now).Before(c.Doubt.since()) {
		return err
	}
	return fault.Errorf(fault.Unavailable, c.Doubt.message(true, false), "the folder may not be the newest: %s", c.Doubt.Why)
}

// twinForks is how many forks of its own log a hub takes for a past that is over:
// a machine brought back forks it once. After the next one, another machine writes
// to it now.
const twinForks = 2

const twinned = "Deux machines parlent au nom de ce relais\u00a0: aucun mandat ne peut être créé ici. Arrêter un mandat reste possible. Éteignez celle qui est de trop, et appelez le département\u00a0: ce relais doit recevoir une nouvelle identité, que le service informatique lui donne par relais recover --new-identity."

// message is what a person reads of a doubt.
func (d doubt) message(waiting, alone bool) string {
	what := "Ce relais ne peut pas prouver que ses données sont les plus récentes"
	switch d.Why {
	case verdictRollback:
		what = "Ce relais a été ramené à un état ancien, sans doute par la remise en place d’une sauvegarde"
	case verdictMoved:
		what = "Les données de ce relais ont été copiées ou remises en place d’une sauvegarde"
	}
	if alone {
		return what + "\u00a0: aucun autre relais n’est encore inscrit, qui pourrait savoir ce qui lui manque. Si personne n’a remis de sauvegarde, des fichiers ont seulement changé de propriétaire ou de place\u00a0; l’avertissement s’éteint au prochain mandat."
	}
	if waiting {
		return what + "\u00a0: aucun mandat ne peut être créé avant qu’un autre relais ait répondu. Arrêter un mandat reste possible. Vérifiez la connexion, et prévenez le service informatique."
	}
	return what + "\u00a0: ce qui lui manque est redemandé aux autres relais. Prévenez le service informatique, et laissez ce relais allumé jusqu’à ce que tous aient répondu."
}
