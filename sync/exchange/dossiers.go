package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"relais/node/record"
	"relais/node/territory"
)

// maxDossiersPerPull bounds the dossiers fetched after one pull; the rest follow
// at the next.
const maxDossiersPerPull = 64

// FetchDossiers fetches the dossiers that this hub should hold, from whichever
// hub has them, and returns how many it kept. One that nobody can give now is
// left for later and is no error; one that does not match its notice is.
func (c *Client) FetchDossiers(ctx context.Context) (int, error) {
	kept, _, err := c.fetchDossiers(ctx)
	return kept, err
}

// fetchDossiers is FetchDossiers, and says how many are still to be had.
func (c *Client) fetchDossiers(ctx context.Context) (kept, left int, err error) {
	wanted, err := c.local.WantedDossiers(ctx, maxDossiersPerPull)
	if err != nil {
		return 0, 0, fmt.Errorf("list wanted dossiers: %w", err)
	}
	down := make(map[territory.HubID]bool) // did not answer: not asked again in this pass
	var failures []error
	for _, w := range wanted {
		ok, err := c.fetchDossier(ctx, w.Mandate, w.From, down)
		if ok {
			kept++
		}
		if err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil {
			return kept, len(wanted) - kept, ctx.Err()
		}
	}
	return kept, len(wanted) - kept, errors.Join(failures...)
}

// fetchDossier asks the hubs in turn until one gives the dossier. A hub that
// does not have it yet is not a failure; one that gives a wrong one is.
func (c *Client) fetchDossier(ctx context.Context, id record.MandateID, from []territory.HubID, down map[territory.HubID]bool) (bool, error) {
	var failure error
	for _, hub := range from {
		if down[hub] {
			continue
		}
		a, err := c.ask(ctx, hub, http.MethodGet, pathDossiers+id.String(), "", nil, typeDossier, maxDossierOctets)
		var refused *Problem
		if errors.As(err, &refused) {
			continue
		}
		if err != nil {
			down[hub] = true
			continue
		}
		if err := c.local.PutDossier(ctx, id, a.body); err != nil {
			failure = errors.Join(failure, fmt.Errorf("dossier %s from %s: %w", id, hub, err))
			continue
		}
		return true, nil
	}
	return false, failure
}
