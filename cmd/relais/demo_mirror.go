package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"relais/node/people"
)

// mirrored is the outcome of a mandate made in Aidants Connect and stopped here.
type mirrored struct {
	// ReceiptSays tells whether the kiosk's receipt said that it is still active
	// there, who is to stop it and until when.
	ReceiptSays bool `json:"receipt_says"`
	// WorklistMS is from the kiosk's POST to the item on the list of the hub that
	// entered the mandate, in milliseconds.
	WorklistMS int64 `json:"worklist_ms"`
	// Noted tells whether the item went once a helper noted that it was done.
	Noted bool `json:"noted"`
}

const (
	mirrorsPath  = "/bureau/mandats/aidants-connect"
	worklistPath = "/bureau/a-faire"
	stillActive  = "Encore actif dans Aidants Connect jusqu’à ce que votre structure l’y arrête"
)

// aMirror enters in the bus a mandate made in Aidants Connect, and has its person
// stop it at a kiosk of another structure.
func (p *play) aMirror(ctx context.Context) error {
	var mandate, code string
	var form *webForm
	var posted time.Time
	return p.steps(
		step{"le bus", "a mandate made in Aidants Connect is entered from its paper: six fields, a code", timed(func() (err error) {
			mandate, err = p.bus.mirror(ctx)
			return err
		})},
		step{"le bus", "the person gets her paper with the stop code", timed(func() (err error) {
			if code, err = p.bus.print(ctx, mandate); err != nil {
				return err
			}
			return p.bus.confirm(ctx, mandate)
		})},
		step{"territory", "it is known", func() (string, error) { return p.known(ctx, mandate, p.hubs()) }},
		step{"Port-Exemple", "she stops it at the kiosk; the receipt says what is still active", func() (_ string, err error) {
			if form, err = p.port.stopForm(ctx); err != nil {
				return "", err
			}
			posted = time.Now()
			receipt, err := form.send(ctx, map[string]string{"code": code})
			if err != nil {
				return "", err
			}
			return p.receiptSays(receipt)
		}},
		step{"le bus", "it is on the list of what to do in Aidants Connect", func() (string, error) {
			item, err := p.bus.workOf(ctx, mirrorFamily)
			p.AidantsConnect.WorklistMS = time.Since(posted).Milliseconds()
			return item, err
		}},
		step{"le bus", "« fait le » is noted by hand", timed(func() error { return p.noted(ctx) })},
	)
}

// mirrorFamily is a name that nobody else in the play has.
const mirrorFamily = "INVENTE"

// mirror copies a mandate, made today, from its paper.
func (h *stageHub) mirror(ctx context.Context) (mandate string, err error) {
	code, err := h.codes.code(ctx)
	if err != nil {
		return "", err
	}
	p, err := h.desk.fill(ctx, mirrorsPath, "entry_1_given", map[string]string{
		"entry_1_given": "Alix", "entry_1_family": mirrorFamily, "entry_1_birth_date": "02/05/1947",
		"entry_1_made": time.Now().In(people.Zone("")).Format("02/01/2006"), "entry_1_term": "MONTH", "entry_1_scopes": "argent",
		"paper": "oui", "code": code, "action": "inscrire",
	})
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(p.url.Path, "/") {
		if strings.HasPrefix(part, "m_") {
			return part, nil
		}
	}
	return "", fmt.Errorf("entered, and sent to %s: %s", p.url.Path, p.alert())
}

// receiptSays expects on a receipt what is still active, who and until when, and
// neither who nor what for.
func (p *play) receiptSays(receipt *webPage) (string, error) {
	number := textOf(receipt.byID("recu-numero"))
	warning := textOf(receipt.byClass("warn"))
	switch {
	case number == "":
		return "", fmt.Errorf("no receipt: %s", receipt.alert())
	case !strings.Contains(warning, stillActive) || !strings.Contains(warning, "au relais du bus") || !strings.Contains(warning, "avant le"):
		return "", fmt.Errorf("the receipt says: %s", textOf(receipt.byClass("receipt")))
	case receipt.says(mirrorFamily):
		return "", errors.New("the receipt names the person")
	}
	p.AidantsConnect.ReceiptSays = true
	_, due, _ := strings.Cut(warning, "avant le ")
	due, _, _ = strings.Cut(due, ".")
	return "receipt " + number + "; to be stopped there before " + due, nil
}

// workOf waits for an item of the person and returns what it says.
func (h *stageHub) workOf(ctx context.Context, family string) (item string, err error) {
	err = eventually(ctx, func() (bool, error) {
		page, err := h.desk.get(ctx, worklistPath)
		if err != nil {
			return false, err
		}
		section := page.find(func(n *html.Node) bool {
			return slices.Contains(strings.Fields(attribute(n, "class")), "work") && strings.Contains(textOf(n), family)
		})
		if section == nil {
			return false, nil
		}
		found := (&webPage{root: section}).byClass("badge")
		item = textOf(found)
		return true, nil
	})
	return item, err
}

// noted says that the one item was stopped in Aidants Connect too, and expects the
// list to be empty.
func (p *play) noted(ctx context.Context) error {
	page, err := p.bus.desk.fill(ctx, worklistPath, "done", nil)
	if err != nil {
		return err
	}
	if page.byClass("work") != nil {
		return fmt.Errorf("it is still on the list: %s", page.alert())
	}
	p.AidantsConnect.Noted = true
	return nil
}
