package main

import (
	"context"
	"encoding/json"
	"net/http"

	"relais/node"
	"relais/node/fault"
)

// A hubVerb is something that the machine's owner asks of the hub: over the
// control socket when it runs, on its folder when it does not. One function
// does it either way.
type hubVerb[In, Out any] struct {
	path string // on the control socket: POST
	do   func(ctx context.Context, n *node.Node, in In) (Out, error)
}

// ask does it, wherever the hub is.
func (v hubVerb[In, Out]) ask(ctx context.Context, c Config, in In) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	err = askHub(ctx, c.Hub.DataDir, http.MethodPost, v.path, body, &out)
	if !unreachable(err) {
		return out, err
	}
	err = withNode(ctx, c, func(n *node.Node) (err error) {
		out, err = v.do(ctx, n, in)
		return err
	})
	return out, err
}

// at is the path.
func (v hubVerb[In, Out]) at() string { return v.path }

// answers for it on the control socket.
func (v hubVerb[In, Out]) answers(n *node.Node) http.Handler {
	return answer(func(r *http.Request) (any, error) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, fault.New(fault.Invalid, "Demande illisible.", err)
		}
		return v.do(r.Context(), n, in)
	})
}

// servedVerb is a hubVerb of any types, for the table.
type servedVerb interface {
	at() string
	answers(n *node.Node) http.Handler
}

// hubVerbs are those of the territory.
func hubVerbs() []servedVerb {
	return []servedVerb{
		inviteVerb, invitationsVerb, uninviteVerb,
		requestsVerb, approveVerb, settleVerb, refuseVerb,
		expelVerb, cutsVerb, structureVerb, nationalVerb, renewVerb, rotateVerb, keepRootVerb, exportRootVerb, registryVerb,
	}
}

// unsaid is what a verb takes or answers that has nothing to say.
type unsaid struct{}
