package exchange

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"relais/node/territory"
)

const (
	// pullsAtOnce bounds the pulls under way: one slow hub does not hold up the
	// others, and a morning's burst does not ask all of them at once.
	pullsAtOnce = 4
	// pullTimeout bounds one pull, all of its pages included.
	pullTimeout = 5 * time.Minute
	// retryFirst and retryLast bound the pause before a failed pull is tried
	// again; it doubles in between.
	retryFirst, retryLast = time.Second, time.Minute
	// maxFails is after how many failures in a row a pull is given up: when the
	// peer is back, a fresh connection compares and asks for it again.
	maxFails = 8
	// errandInterval is how often errands are looked at unasked.
	errandInterval = time.Minute
)

// Puller runs pulls for those who notice that we are behind and must not wait:
// the gossip's loop and the node's subscribers. Asking twice is one pull.
type Puller struct {
	client *Client
	log    *slog.Logger
	kick   chan struct{} // capacity 1: something changed in what follows

	mu       sync.Mutex // guards what follows
	wanted   map[territory.HubID]*want
	dossiers errand // wanted here
	forgets  errand // awaited from others
}

// want is one hub to pull from.
type want struct {
	running bool
	again   bool // asked for while running: new since then
	fails   int
	due     time.Time
}

// NewPuller returns a puller; it works while Run does.
func NewPuller(c *Client, logger *slog.Logger) *Puller {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Puller{
		client: c, log: logger, kick: make(chan struct{}, 1), wanted: make(map[territory.HubID]*want),
		dossiers: errand{name: "dossiers", run: c.fetchDossiers}, forgets: errand{name: "forgets", run: c.AskForgets},
	}
}

// Want asks for a pull from a hub, soon. It never blocks: connect it to the
// gossip's OnBehind.
func (p *Puller) Want(hub territory.HubID) {
	p.mu.Lock()
	if w := p.wanted[hub]; w == nil {
		p.wanted[hub] = &want{}
	} else if w.running {
		w.again = true
	} else {
		w.due = time.Time{}
	}
	p.mu.Unlock()
	p.wake()
}

// WantDossiers asks for a look at the wanted dossiers, soon. It never blocks:
// connect it to the node's OnRecord, since a notice that came by gossip brings
// no dossier.
func (p *Puller) WantDossiers() { p.want(&p.dossiers) }

// WantForgets asks the hubs that are to forget something, soon. It never blocks:
// connect it to the node's OnForget.
func (p *Puller) WantForgets() { p.want(&p.forgets) }

func (p *Puller) want(e *errand) {
	p.mu.Lock()
	e.due = true
	p.mu.Unlock()
	p.wake()
}

func (p *Puller) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// Run pulls until ctx ends, and returns once every pull has stopped.
func (p *Puller) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	periodic := time.NewTicker(errandInterval)
	defer periodic.Stop()
	for {
		timer := time.NewTimer(p.start(ctx, &running))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-p.kick:
		case <-timer.C:
		case <-periodic.C:
			p.WantDossiers()
			p.WantForgets()
			running.Go(func() { p.learn(ctx) })
		}
		timer.Stop()
	}
}

// start begins what is due and may run, and says when to look again.
func (p *Puller) start(ctx context.Context, running *sync.WaitGroup) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, next, busy := time.Now(), errandInterval, 0
	for _, w := range p.wanted {
		if w.running {
			busy++
		}
	}
	for hub, w := range p.wanted {
		if w.running || busy >= pullsAtOnce {
			continue
		}
		if wait := w.due.Sub(now); wait > 0 {
			next = min(next, wait)
			continue
		}
		w.running, w.again = true, false
		busy++
		running.Go(func() { p.pull(ctx, hub) })
	}
	for _, e := range []*errand{&p.dossiers, &p.forgets} {
		if wait, starts := e.start(now); starts {
			running.Go(func() { p.runErrand(ctx, e) })
		} else if wait > 0 {
			next = min(next, wait)
		}
	}
	return next
}

func (p *Puller) pull(ctx context.Context, hub territory.HubID) {
	timed, cancel := context.WithTimeout(ctx, pullTimeout)
	done, err := p.client.PullRecords(timed, hub)
	cancel()
	switch {
	case err == nil && (done.Pages > 0 || done.Roster):
		p.log.Info("pulled", "peer", hub.String(), "new", done.New, "refused", done.Refused, "pages", done.Pages, "roster", done.Roster)
	case err != nil && ctx.Err() == nil:
		p.log.Warn("pull failed", "peer", hub.String(), "new", done.New, "err", err)
	}
	p.mu.Lock()
	w := p.wanted[hub]
	w.running = false
	switch {
	case !w.again && (err == nil || errors.Is(err, ErrNoProgress) || w.fails >= maxFails):
		delete(p.wanted, hub)
	case err == nil:
		w.fails = 0
	default:
		w.due = time.Now().Add(pause(w.fails))
		w.fails++
	}
	p.dossiers.due = p.dossiers.due || done.New > 0 || done.Roster
	p.mu.Unlock()
	p.wake()
}

func (p *Puller) runErrand(ctx context.Context, e *errand) {
	timed, cancel := context.WithTimeout(ctx, pullTimeout)
	done, left, err := e.run(timed)
	cancel()
	if done > 0 {
		p.log.Info("errand done", "errand", e.name, "done", done, "left", left)
	}
	if err != nil && ctx.Err() == nil {
		p.log.Warn("errand refused", "errand", e.name, "left", left, "err", err)
	}
	p.mu.Lock()
	e.end(done, left)
	p.mu.Unlock()
	p.wake()
}

// pause is how long to wait after the nth failure in a row, from 0: doubling,
// with a fifth of chance either way so that hubs do not fall into step.
func pause(n int) time.Duration {
	d := min(retryFirst<<min(n, 16), retryLast)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
