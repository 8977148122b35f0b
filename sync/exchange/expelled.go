package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"relais/node/territory"
	"relais/sync/link"
)

// pathTerritory is of the join side; under link.SchemeExpelled it is all there is.
const pathTerritory = "/relais/v1/territory"

// maxWelcomeOctets holds a roster and the turns, escaped as JSON.
const maxWelcomeOctets = 8 << 20

// expulsion is what a hub that refuses this one has for it to read.
type expulsion struct {
	Roster string   `json:"roster"`
	Turns  []string `json:"turns"`
}

// LearnExpulsion asks one of the hubs that refuse this one, when all do, for the
// roster by which they do, and installs it: whoever was expelled is called by
// nobody, and would never know. It tells whether a newer roster came; where
// nothing says that this hub is refused it asks nobody.
func (c *Client) LearnExpulsion(ctx context.Context) (learned bool, err error) {
	ours := c.local.Roster()
	if ours == nil {
		return false, nil
	}
	for _, i := range rand.Perm(len(ours.Hubs)) {
		h := ours.Hubs[i]
		if h.State != territory.HubActive {
			continue
		}
		e, err := c.askRefusing(ctx, h.ID)
		if errors.Is(err, link.ErrNotRefused) {
			continue
		}
		if err == nil {
			err = c.follow(ctx, e)
		}
		if err != nil {
			return false, fmt.Errorf("learn from %s why it refuses this hub: %w", h.ID, err)
		}
		return c.local.Roster().Version > ours.Version, nil
	}
	return false, nil
}

func (c *Client) askRefusing(ctx context.Context, hub territory.HubID) (e expulsion, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link.SchemeExpelled+"://"+hub.String()+pathTerritory, nil)
	if err != nil {
		return e, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return e, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return e, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxWelcomeOctets+1))
	if err == nil && len(body) > maxWelcomeOctets {
		err = fmt.Errorf("the answer exceeds %d octets", maxWelcomeOctets)
	}
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(body, &e)
}

// follow installs a roster, after the turns that lead to it. A turn of a root
// that this hub left behind is not one that it can verify: the roster at the end
// tells whether the way led there.
func (c *Client) follow(ctx context.Context, e expulsion) error {
	err := c.local.InstallRoster(ctx, []byte(e.Roster))
	if !errors.Is(err, territory.ErrForged) {
		return err
	}
	for _, note := range e.Turns {
		if err := c.local.InstallRoster(ctx, []byte(note)); err != nil && !errors.Is(err, territory.ErrForged) {
			return err
		}
	}
	return c.local.InstallRoster(ctx, []byte(e.Roster))
}

// learn asks once a minute, and mostly nobody.
func (p *Puller) learn(ctx context.Context) {
	switch learned, err := p.client.LearnExpulsion(ctx); {
	case err != nil && ctx.Err() == nil:
		p.log.Warn("every hub refuses this one", "err", err)
	case learned:
		p.log.Warn("a roster came from a hub that refuses this one")
	}
}
