package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"relais/node"
)

// aPass reconciles Valbrume with the national service, twice.
func (p *play) aPass(ctx context.Context) error {
	return p.steps(
		step{"Valbrume", "one pass", func() (string, error) {
			pass, err := p.valbrume.pass(ctx)
			n := &p.outcome.National
			n.Up, n.Down, n.Drift, n.FirstPassBytes = pass.Up, pass.Down, pass.Drift, pass.OctetsOut+pass.OctetsIn
			if err == nil && pass.Drift != 0 {
				err = fmt.Errorf("drift %d", pass.Drift)
			}
			return fmt.Sprintf("%d up, %d down, drift %d, %d octets on the wire", n.Up, n.Down, n.Drift, n.FirstPassBytes), err
		}},
		step{"national", "holds every notice and every stop", func() (string, error) {
			c, err := p.nationalCounts(ctx)
			if err == nil && (c.Notices != 3 || c.Revocations != 2) {
				err = fmt.Errorf("it holds %+v", c)
			}
			return fmt.Sprintf("%d notices, %d stops", c.Notices, c.Revocations), err
		}},
		step{"Valbrume", "a second pass moves the fixed cost only", func() (string, error) {
			pass, err := p.valbrume.pass(ctx)
			n := &p.outcome.National
			n.SecondPassBytes = pass.OctetsOut + pass.OctetsIn
			if err == nil {
				err = fixedCostOnly(pass, n.FirstPassBytes)
			}
			return fmt.Sprintf("0 up, 0 down, %d octets on the wire", n.SecondPassBytes), err
		}},
	)
}

// maxFixedCost is what a pass may take, both ways, to find that nothing is to be
// moved: two handshakes and one summary, whatever the territory holds.
const maxFixedCost = 4000

// fixedCostOnly refuses a pass that moved something, or that took more octets
// than it takes to find that there is nothing to move.
func fixedCostOnly(pass node.NationalPass, first int64) error {
	if pass.Up != 0 || pass.Down != 0 || pass.Drift != 0 {
		return fmt.Errorf("it moved %d up and %d down, drift %d", pass.Up, pass.Down, pass.Drift)
	}
	if octets := pass.OctetsOut + pass.OctetsIn; octets > maxFixedCost || octets >= first {
		return fmt.Errorf("it took %d octets; %d at most, and fewer than the first pass (%d)", octets, maxFixedCost, first)
	}
	return nil
}

func (h *stageHub) pass(ctx context.Context) (p node.NationalPass, err error) {
	return p, askHub(ctx, h.config.Hub.DataDir, http.MethodPost, "/national-pass", nil, &p)
}

// theJournals verifies each hub's journal, and that a flipped bit is found.
func (p *play) theJournals(ctx context.Context) error {
	for _, h := range p.hubs() {
		if err := p.steps(step{h.name, "its journal verifies", func() (string, error) { return p.verified(ctx, h) }}); err != nil {
			return err
		}
	}
	p.JournalsVerified = true
	return p.steps(step{"a copy", "one octet of it is changed: its entry is named", func() (string, error) { return p.tampered(ctx) }})
}

// verified signs the journal as it stands and verifies it from outside, as an
// auditor would.
func (p *play) verified(ctx context.Context, h *stageHub) (string, error) {
	if err := askHub(ctx, h.config.Hub.DataDir, http.MethodPost, "/checkpoint", nil, &struct{}{}); err != nil {
		return "", err
	}
	out, err := p.relais(ctx, "verify", "--json", h.config.Hub.DataDir)
	if err != nil {
		return "", err
	}
	var r node.JournalReport
	if err := json.Unmarshal(out, &r); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d entries, %d under a signed checkpoint", r.Entries, r.Checkpoint), nil
}

// tampered changes one octet of one entry in a copy of Valbrume's database and
// expects relais verify to name that entry.
func (p *play) tampered(ctx context.Context) (string, error) {
	copied := filepath.Join(p.dir, "copie.db")
	entry, err := copyAndTamper(ctx, filepath.Join(p.valbrume.config.Hub.DataDir, "relais.db"), copied)
	if err != nil {
		return "", err
	}
	out, err := p.relais(ctx, "verify", "--json", copied)
	if err == nil {
		return "", errors.New("verify took the copy")
	}
	if statusOf(err) != exitProof {
		return "", err
	}
	var r node.JournalReport
	if err := json.Unmarshal(out, &r); err != nil {
		return "", err
	}
	p.TamperNamed = r.BadEntry == entry
	if !p.TamperNamed {
		return "", fmt.Errorf("entry %d was changed, and %d was named", entry, r.BadEntry)
	}
	return fmt.Sprintf("entry %d", entry), nil
}

// copyAndTamper copies a database and flips one bit in the file, in the public
// part of one entry. It returns that entry's number.
func copyAndTamper(ctx context.Context, from, to string) (entry int64, err error) {
	db, err := sql.Open("sqlite3", "file:"+from+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return 0, err
	}
	file, err := os.ReadFile(to)
	if err != nil {
		return 0, err
	}
	rows, err := db.QueryContext(ctx, "SELECT seq, public FROM journal ORDER BY seq DESC")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var public []byte
		if err := rows.Scan(&entry, &public); err != nil {
			return 0, err
		}
		if len(public) < 16 || bytes.Count(file, public) != 1 { // another entry may say the same
			continue
		}
		file[bytes.Index(file, public)+len(public)/2] ^= 1
		return entry, os.WriteFile(to, file, 0o600)
	}
	return 0, errors.Join(errors.New("no entry is found in the copy as it was read"), rows.Err())
}
