package node

import (
	"context"
	"sync"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
)

const (
	// oneReading is how long a helper's looks at one dossier count as one
	// consultation: pages are reloaded, and the journal is read by people. A hub
	// that fetches a dossier again within that time was given it once.
	oneReading = 15 * time.Minute
	// maxReadings bounds what is remembered; beyond, some consultations are
	// entered twice, never none.
	maxReadings = 1024
)

// reading is one helper, or one hub that fetches it, at one dossier.
type reading struct {
	who     string // a_… or h_…
	mandate mandate.ID
}

// readings remembers the consultations entered lately. Its zero value is ready.
type readings struct {
	mu     sync.Mutex
	latest map[reading]time.Time // guarded by mu
}

// fresh tells whether the consultation was entered within oneReading.
func (r *readings) fresh(key reading, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, found := r.latest[key]
	return found && now.Sub(at).Abs() < oneReading
}

func (r *readings) add(key reading, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.latest == nil || len(r.latest) >= maxReadings {
		r.latest = map[reading]time.Time{}
	}
	r.latest[key] = now
}

// noteReading enters in the journal (registre des consultations) that a helper
// read a dossier. What cannot be entered is not shown.
func (n *Node) noteReading(ctx context.Context, by Actor, id mandate.ID) error {
	key := reading{by.Helper.String(), id}
	if n.readings.fresh(key, n.now()) {
		return nil
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		return n.note(tx, entry{Kind: journal.KindMandateView, Actor: by.Helper.String(), Subject: id.String()})
	})
	if err == nil {
		n.readings.add(key, n.now())
	}
	return err
}
