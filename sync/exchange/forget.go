package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"relais/node"
	"relais/node/record"
)

// AskForgets asks every hub that is still to forget something, and notes what each
// confirms. It returns how many mandates were confirmed and how many are left: a
// hub that sleeps, has not heard of a stop yet, or still has to stop a mandate in
// Aidants Connect, is asked again later.
func (c *Client) AskForgets(ctx context.Context) (done, left int, err error) {
	awaited, err := c.local.AwaitedForgets(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("list what is to be forgotten: %w", err)
	}
	var (
		mu       sync.Mutex // guards what is counted
		failures []error
		asking   errgroup.Group
	)
	asking.SetLimit(pullsAtOnce) // one that sleeps is not waited for by the others
	for _, a := range awaited {
		asking.Go(func() error {
			confirmed, err := c.askForget(ctx, a)
			mu.Lock()
			defer mu.Unlock()
			done, left = done+len(confirmed), left+len(a.Mandates)-len(confirmed)
			var refused *Problem
			if errors.As(err, &refused) { // a hub out of reach is no failure
				failures = append(failures, err)
			}
			return nil
		})
	}
	asking.Wait()
	return done, left, errors.Join(append(failures, ctx.Err())...)
}

// askForget asks one hub, and keeps its word.
func (c *Client) askForget(ctx context.Context, a node.AwaitedForget) ([]record.MandateID, error) {
	answer, err := c.ask(ctx, a.Hub, http.MethodPost, pathForget, typeForget, appendMandates(nil, a.Mandates), typeForget, maxForgetOctets)
	if err != nil {
		return nil, err
	}
	said, err := parseMandates(answer.body)
	if err != nil {
		return nil, fmt.Errorf("what %s forgot: %w", a.Hub, err)
	}
	confirmed := slices.DeleteFunc(said, func(m record.MandateID) bool { return !slices.Contains(a.Mandates, m) })
	if len(confirmed) == 0 {
		return nil, nil
	}
	return confirmed, c.local.ForgetConfirmed(ctx, a.Hub, confirmed)
}

// appendMandates writes identifiers one after the other.
func appendMandates(b []byte, ids []record.MandateID) []byte {
	for _, m := range ids {
		b = append(b, m[:]...)
	}
	return b
}

// parseMandates reads what appendMandates wrote.
func parseMandates(b []byte) ([]record.MandateID, error) {
	const size = len(record.MandateID{})
	if len(b)%size != 0 || len(b) > maxForgetOctets {
		return nil, fmt.Errorf("%d octets are no list of at most %d mandates", len(b), node.MaxForgets)
	}
	var ids []record.MandateID
	for one := range slices.Chunk(b, size) {
		ids = append(ids, record.MandateID(one))
	}
	return ids, nil
}
