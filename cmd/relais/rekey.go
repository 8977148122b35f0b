package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/fault"
)

// rekeyRequest asks a hub to replace its key. Whoever asks draws the recovery code
// and shows it first: there is no moment at which nobody has one that opens the
// hub.
type rekeyRequest struct {
	Code        string `json:"recovery_code"` // empty: only say whether it can be done
	Departement string `json:"departement"`   // age1…, as typed; empty: the one that is known
	Configured  string `json:"configured"`    // keys.departement
}

// rekeyed is what became of it, or what would.
type rekeyed struct {
	node.Rekeying
	Slots      []keyring.Kind `json:"slots"`
	Recipients []string       `json:"recipients"`
}

func runRekey(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "rekey [--config FILE] [--departement age1…]")
	config := f.String("config", defaultConfig, "configuration `file`")
	departement := f.String("departement", "", "public `half`, age1…, of the département's key, where it is another or the hub does not remember it")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	r := rekeyRequest{Departement: *departement, Configured: c.Keys.Departement}
	if r.Departement != "" {
		if _, err := keyring.ParseRecipient(r.Departement); err != nil {
			return &exitError{exitUsage, fmt.Errorf("--departement: %w", err)}
		}
	}
	var running status
	if err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &running); unreachable(err) {
		return rekeyFolder(ctx, std, c, r)
	}
	return replaceKey(std, r, func(r rekeyRequest) (done rekeyed, err error) {
		body, err := json.Marshal(r)
		if err == nil {
			err = askHub(ctx, c.Hub.DataDir, http.MethodPost, "/rekey", body, &done)
		}
		return done, err
	})
}

// replaceKey asks whether it can be done, shows the new recovery code, then asks
// that it be done.
func replaceKey(std stdio, r rekeyRequest, ask func(rekeyRequest) (rekeyed, error)) error {
	if _, err := ask(r); err != nil {
		return err
	}
	r.Code = keyring.NewRecoveryCode().Reveal()
	fmt.Fprintf(std.out, "recovery code  %s\n", r.Code)
	fmt.Fprintf(std.out, "               Write it down and keep it elsewhere: it is shown once. Keep the former\n"+
		"               one too, until this command has ended well.\n")
	done, err := ask(r)
	if err != nil {
		return failWith(statusOf(err), "%w\nKeep both recovery codes: one of them opens the hub, and this command does not know which.", err)
	}
	return done.print(std)
}

func (r rekeyed) print(std stdio) error {
	fmt.Fprintf(std.out, "key            %d; opened by %s\n", r.Key, listSlots(r.Slots))
	for _, recipient := range r.Recipients {
		fmt.Fprintf(std.out, "departement    %s\n", recipient)
	}
	_, err := fmt.Fprintf(std.out, "re-sealing     %d values, in the background; relais status says how many are left\n"+
		"\nThe former recovery code opens this hub no more: destroy it. A copy of the folder made\n"+
		"before still opens with it: destroy those you do not need.\n", r.Left)
	return err
}

// rekeyFolder replaces the key of a hub that does not run, and seals everything
// again before it ends. Interrupted, the hub goes on with that when it serves.
func rekeyFolder(ctx context.Context, std stdio, c Config, r rekeyRequest) error {
	keys, n, err := openFolder(ctx, c, nil)
	if err != nil {
		return err
	}
	err = replaceKey(std, r, func(r rekeyRequest) (rekeyed, error) { return rekey(ctx, c, keys, n, r) })
	for done := err != nil; !done; {
		if done, err = n.Reseal(ctx); err != nil {
			err, done = fmt.Errorf("%w; the key is replaced, and the hub goes on sealing again when it serves", err), true
		} else if done {
			fmt.Fprintln(std.out, "Everything is sealed again, and the former key is destroyed.")
		}
	}
	return errors.Join(err, keys.Close(), n.Close())
}

// rekey replaces the key of an open hub.
func rekey(ctx context.Context, c Config, keys *keyring.Keyring, n *node.Node, r rekeyRequest) (done rekeyed, err error) {
	if len(keys.Epochs()) > 1 {
		return done, keyring.ErrUnfinished
	}
	slots, err := keyring.Slots(c.Hub.DataDir)
	if err != nil {
		return done, err
	}
	recipients, err := r.recipients(keys.Recipients(), slices.Contains(slots, keyring.KindDepartement))
	if err != nil {
		return done, err
	}
	if r.Code != "" {
		code, err := keyring.ParseRecoveryCode(r.Code)
		if err != nil {
			return done, err
		}
		if err := keys.Rekey(code, recipients...); err != nil {
			return done, err
		}
		n.KeyReplaced()
	}
	done.Recipients = keys.Recipients()
	done.Slots, err = keyring.Slots(c.Hub.DataDir)
	if err != nil {
		return done, err
	}
	done.Rekeying, err = n.Rekeying(ctx)
	return done, err
}

// recipients are whom the new key is wrapped for, beside the machine and the code:
// those of before, unless told otherwise. Who opens a hub never changes by a line
// in a file that contradicts the hub, nor by a slot that is left out.
func (r rekeyRequest) recipients(kept []string, slot bool) (list []keyring.Recipient, err error) {
	wanted := kept
	switch {
	case r.Departement != "":
		wanted = []string{r.Departement}
	case len(kept) > 0 && r.Configured != "" && !slices.Contains(kept, r.Configured):
		return nil, fmt.Errorf("this hub is opened by the département's key %s, and keys.departement says %s: say which by --departement", strings.Join(kept, ", "), r.Configured)
	case len(kept) > 0:
	case r.Configured != "":
		wanted = []string{r.Configured}
	case slot:
		return nil, errors.New("this hub is opened by the département's key too, and does not remember its public half: give it by --departement age1…, or as keys.departement")
	}
	for _, text := range wanted {
		recipient, err := keyring.ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		list = append(list, recipient)
	}
	return list, nil
}

// rekey replaces the key of the running hub, which then seals everything again by
// itself.
func (h *hub) rekey(ctx context.Context, r rekeyRequest) (rekeyed, error) {
	return rekey(ctx, h.config, h.keys, h.node, r)
}

// replaceKey is the control socket's door to it.
func (c *control) replaceKey(r *http.Request) (any, error) {
	var ask rekeyRequest
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		return nil, fault.New(fault.Invalid, "Demande illisible.", err)
	}
	return c.rekey(r.Context(), ask)
}
