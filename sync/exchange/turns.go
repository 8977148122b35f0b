package exchange

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"relais/node/territory"
)

// maxTurnRounds bounds the answers asked for in one go: what changes hands every
// few years does not come by the thousand.
const maxTurnRounds = 8

// errTurns means that an answer is not a list of rosters.
var errTurns = errors.New("not a list of rosters")

// turns answers with the first roster of each root above a version, the oldest
// first, each after its length: 4 octets, big-endian. What does not fit is asked
// for again, above the last.
func (h *handler) turns(w http.ResponseWriter, r *http.Request) error {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 32)
	if err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: "after is not a roster version"}
	}
	notes, err := h.o.Rosters.RosterTurns(r.Context(), uint32(after))
	if err != nil {
		return fmt.Errorf("read the turns: %w", err)
	}
	var body []byte
	for _, note := range notes {
		if len(body)+4+len(note) > maxTurnsOctets {
			break
		}
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(note))), note...)
	}
	writeBody(w, typeRosters, body)
	return nil
}

// parseTurns reads what turns wrote.
func parseTurns(body []byte) (notes [][]byte, err error) {
	for len(body) > 0 {
		if len(body) < 4 {
			return nil, errTurns
		}
		size := binary.BigEndian.Uint32(body)
		if size == 0 || size > maxRosterOctets || int(size) > len(body)-4 {
			return nil, errTurns
		}
		notes, body = append(notes, body[4:4+size]), body[4+size:]
	}
	return notes, nil
}

// installRoster takes a hub's roster. One whose root this hub does not recognise
// may be two rotations ahead: then each turn is followed first, in order. Nothing
// is believed of them but what the root announced before says.
func (c *Client) installRoster(ctx context.Context, hub territory.HubID, note []byte) error {
	err := c.local.InstallRoster(ctx, note)
	for range maxTurnRounds {
		if !errors.Is(err, territory.ErrForged) {
			return err
		}
		followed, turnErr := c.followTurns(ctx, hub)
		if turnErr != nil || !followed {
			return errors.Join(err, turnErr)
		}
		err = c.local.InstallRoster(ctx, note)
	}
	return err
}

// followTurns installs the turns that a hub knows above our roster, and tells
// whether that took us further.
func (c *Client) followTurns(ctx context.Context, hub territory.HubID) (followed bool, err error) {
	ours := c.local.Roster()
	if ours == nil {
		return false, nil // nothing announces a root yet
	}
	query := url.Values{"after": {strconv.FormatUint(uint64(ours.Version), 10)}}
	a, err := c.ask(ctx, hub, http.MethodGet, pathTurns+"?"+query.Encode(), "", nil, typeRosters, maxTurnsOctets)
	if err != nil {
		return false, err
	}
	notes, err := parseTurns(a.body)
	if err != nil {
		return false, fmt.Errorf("turns of %s: %w", hub, err)
	}
	for _, note := range notes {
		if err := c.local.InstallRoster(ctx, note); err != nil {
			return c.local.Roster().Version > ours.Version, fmt.Errorf("follow a turn of %s: %w", hub, err)
		}
	}
	return c.local.Roster().Version > ours.Version, nil
}
