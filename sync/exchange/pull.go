package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"relais/node/record"
	"relais/node/territory"
)

// maxBarrenPages bounds the pages of a pull in which everything was refused or
// known: a member gone bad could give others for ever.
const maxBarrenPages = 64

// Pulled counts what a pull did.
type Pulled struct {
	Outcome
	Pages    int
	Roster   bool // a newer roster was installed
	Dossiers int  // fetched and kept
}

// Pull takes from a hub everything we lack and it knows: its roster first when
// newer, then records page by page, then the dossiers that are wanted, wherever
// they are. It is resumable: every page is applied before the next is asked for.
func (c *Client) Pull(ctx context.Context, hub territory.HubID) (Pulled, error) {
	sum, err := c.PullRecords(ctx, hub)
	if err != nil {
		return sum, err
	}
	sum.Dossiers, err = c.FetchDossiers(ctx)
	return sum, err
}

// PullRecords is Pull without the dossiers, for a peer that has none such as
// the national service. A roster that cannot be followed is no reason to miss a
// revocation: what the present roster verifies is pulled all the same, and the
// error comes at the end.
func (c *Client) PullRecords(ctx context.Context, hub territory.HubID) (Pulled, error) {
	var sum Pulled
	var unfollowed error // the peer's newer roster
	var barren int       // pages without anything new
	given := given{}
	for {
		asked := c.now()
		a, err := c.askMissing(ctx, hub, given)
		if err != nil {
			return sum, errors.Join(unfollowed, err)
		}
		if c.olderThan(a.roster) && !sum.Roster && unfollowed == nil {
			// Authors that only the newer roster knows would be refused: the roster
			// comes first, and the same page is asked for again.
			if unfollowed = c.pullRoster(ctx, hub); unfollowed == nil {
				sum.Roster = true
				continue
			}
		}
		before := sum.New
		progress, err := c.applyPage(ctx, hub, a.body, given, &sum)
		if err != nil {
			return sum, errors.Join(unfollowed, err)
		}
		if !a.more {
			if sum.Refused == 0 && sum.Postponed == 0 { // else the peer knows something that we do not
				c.local.PeerCompared(hub, asked)
			}
			return sum, unfollowed
		}
		if sum.New == before {
			barren++
		}
		if !progress || barren > maxBarrenPages {
			return sum, errors.Join(unfollowed,
				fmt.Errorf("pull from %s: %w (%d refused so far)", hub, ErrNoProgress, sum.Refused))
		}
	}
}

func (c *Client) askMissing(ctx context.Context, hub territory.HubID, given given) (answer, error) {
	ours, err := c.local.Vector(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("read the vector: %w", err)
	}
	body, err := given.raise(ours).MarshalBinary()
	if err != nil {
		return answer{}, fmt.Errorf("encode the vector: %w", err)
	}
	return c.ask(ctx, hub, http.MethodPost, pathMissing, typeVector, body, typeRecords, maxPageOctets)
}

// applyPage takes a page, and tells whether the next one will be another.
func (c *Client) applyPage(ctx context.Context, hub territory.HubID, page []byte, given given, sum *Pulled) (progress bool, err error) {
	wires, err := record.ParsePage(page)
	if err != nil || len(wires) == 0 {
		return false, err
	}
	done, err := c.local.Apply(ctx, wires, hub)
	if err != nil {
		return false, fmt.Errorf("apply a page of %d records from %s: %w", len(wires), hub, err)
	}
	sum.Pages++
	sum.New += done.New
	sum.Known += done.Known
	sum.Refused += done.Refused
	sum.Held += done.Held
	sum.Postponed += done.Postponed
	moved, strangers := given.add(c.local.Roster(), wires)
	if strangers && !moved {
		moved, err = c.passStrangers(ctx, hub, given)
	}
	return done.New > 0 || moved, err
}

// passStrangers passes over the logs of a peer whose authors our roster does not
// know, and tells whether there were any that were not passed over yet.
func (c *Client) passStrangers(ctx context.Context, hub territory.HubID, given given) (bool, error) {
	theirs, err := c.Vector(ctx, hub)
	if err != nil {
		return false, err
	}
	return given.strangers(c.local.Roster(), theirs), nil
}

func (c *Client) olderThan(theirs uint32) bool {
	ours := c.local.Roster()
	return ours == nil && theirs > 0 || ours != nil && theirs > ours.Version
}

func (c *Client) pullRoster(ctx context.Context, hub territory.HubID) error {
	a, err := c.ask(ctx, hub, http.MethodGet, pathRoster, "", nil, typeRoster, maxRosterOctets)
	if err != nil {
		return err
	}
	if err := c.installRoster(ctx, hub, a.body); err != nil {
		return fmt.Errorf("install the roster of %s: %w", hub, err)
	}
	return nil
}
