package exchange

import (
	"context"
	"fmt"
	"net/http"

	"relais/node/territory"
)

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
// the national service.
func (c *Client) PullRecords(ctx context.Context, hub territory.HubID) (Pulled, error) {
	var sum Pulled
	for {
		asked := c.now()
		a, err := c.askMissing(ctx, hub)
		if err != nil {
			return sum, err
		}
		if c.olderThan(a.roster) && !sum.Roster {
			// Authors that only the newer roster knows would be refused: the roster
			// comes first, and the same page is asked for again.
			if err := c.pullRoster(ctx, hub); err != nil {
				return sum, err
			}
			sum.Roster = true
			continue
		}
		progress, err := c.applyPage(ctx, hub, a.body, &sum)
		if err != nil {
			return sum, err
		}
		if !a.more {
			c.local.PeerCompared(hub, asked)
			return sum, nil
		}
		if !progress {
			return sum, fmt.Errorf("pull from %s: %w (%d refused so far)", hub, ErrNoProgress, sum.Refused)
		}
	}
}

func (c *Client) askMissing(ctx context.Context, hub territory.HubID) (answer, error) {
	ours, err := c.local.Vector(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("read the vector: %w", err)
	}
	body, err := ours.MarshalBinary()
	if err != nil {
		return answer{}, fmt.Errorf("encode the vector: %w", err)
	}
	return c.ask(ctx, hub, http.MethodPost, pathMissing, typeVector, body, typeRecords, maxPageOctets)
}

func (c *Client) applyPage(ctx context.Context, hub territory.HubID, page []byte, sum *Pulled) (progress bool, err error) {
	wires, err := ParsePage(page)
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
	return done.New > 0, nil
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
	if err := c.local.InstallRoster(ctx, a.body); err != nil {
		return fmt.Errorf("install the roster of %s: %w", hub, err)
	}
	return nil
}
