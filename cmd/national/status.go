package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"relais/cmd/national/internal/store"
	"relais/node/territory"
)

// status is what `national status --json` prints.
type status struct {
	Territory   territory.Code `json:"territory"`
	Roster      uint32         `json:"roster"`
	Records     int            `json:"records"`
	Notices     int            `json:"notices"`
	Revocations int            `json:"revocations"`
	Forks       int            `json:"forks"`
	Refused     int            `json:"refused"`
	Hubs        []hubStatus    `json:"hubs"`
}

// hubStatus adds up the logs of one member of the roster.
type hubStatus struct {
	ID          territory.HubID `json:"id"`
	Name        string          `json:"name"`
	Records     int             `json:"records"`
	Notices     int             `json:"notices"`
	Revocations int             `json:"revocations"`
	Held        int             `json:"held"`
	Forked      bool            `json:"forked"`
	Checkpoint  int64           `json:"checkpoint"`
}

// runStatus reads the database, beside a running service or without one.
func runStatus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, data := flags("status", "", stderr)
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	db, err := store.OpenReadOnly(ctx, *data)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := readStatus(ctx, db)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(stdout, s)
	}
	return s.print(stdout)
}

func readStatus(ctx context.Context, db *store.DB) (status, error) {
	t, err := db.Territory(ctx)
	if err != nil {
		return status{}, err
	}
	roster, err := territory.OpenRoster(t.Note, t.RootKey)
	if err != nil {
		return status{}, err
	}
	counts, err := db.Counts(ctx)
	if err != nil {
		return status{}, err
	}
	s := status{
		Territory: t.Code, Roster: t.Version,
		Records: counts.Records, Notices: counts.Notices, Revocations: counts.Revocations,
		Forks: counts.Forks, Refused: counts.Refused,
	}
	heads, err := db.Heads(ctx)
	if err != nil {
		return status{}, err
	}
	for _, h := range roster.Hubs {
		hub := hubStatus{ID: h.ID, Name: h.Name}
		for _, head := range heads {
			hub.add(head)
		}
		if hub.Checkpoint, err = db.CheckpointSize(ctx, h.ID); err != nil {
			return status{}, err
		}
		s.Hubs = append(s.Hubs, hub)
	}
	return s, nil
}

func (h *hubStatus) add(head store.Head) {
	if head.Hub != h.ID {
		return
	}
	h.Records += head.Records
	h.Notices += head.Notices
	h.Revocations += head.Revocations
	h.Held += head.Held
	h.Forked = h.Forked || head.Forked
}

func (s status) print(w io.Writer) error {
	fmt.Fprintf(w, "territory %s, roster %d: %d records (%d notices, %d revocations), %d refused, %d forked logs\n\n",
		s.Territory, s.Roster, s.Records, s.Notices, s.Revocations, s.Refused, s.Forks)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HUB\tNAME\tRECORDS\tNOTICES\tREVOCATIONS\tHELD\tCHECKPOINT")
	for _, h := range s.Hubs {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", h.ID, h.Name, h.Records, h.Notices, h.Revocations, h.Held, h.Checkpoint)
	}
	return t.Flush()
}
