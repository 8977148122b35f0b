package node

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// oneDenial is how long the refused sign-ins of one source count as one entry
	// of the journal, which nobody outside may make grow at will.
	oneDenial = time.Minute
	// maxDenialSources bounds the sources that are told apart; the others share
	// one entry a minute.
	maxDenialSources = 64
)

// source is what attempts are counted by: an IPv4 address, the /64 of an IPv6
// one, since every machine has all of its own, or whatever else names a place.
func source(from string) string {
	address, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}

// denials gathers the refused sign-ins of each source. Its zero value is ready.
type denials struct {
	mu     sync.Mutex
	latest map[[32]byte]denial // guarded by mu; by the source's tag
}

type denial struct {
	at   time.Time // of the last entry
	more int       // refused since, and in no entry
}

// due tells whether a refused sign-in is an entry of its own and, if so, how many
// more from there were not since the last.
func (d *denials) due(source [32]byte, now time.Time) (more int, due bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.latest == nil {
		d.latest = make(map[[32]byte]denial)
	}
	if _, met := d.latest[source]; !met && len(d.latest) >= maxDenialSources {
		for key, old := range d.latest {
			if now.Sub(old.at).Abs() >= oneDenial {
				delete(d.latest, key)
			}
		}
		if len(d.latest) >= maxDenialSources {
			source = [32]byte{} // the others
		}
	}
	last, met := d.latest[source]
	if met && now.Sub(last.at).Abs() < oneDenial {
		last.more++
		d.latest[source] = last
		return 0, false
	}
	d.latest[source] = denial{at: now}
	return last.more, true
}
