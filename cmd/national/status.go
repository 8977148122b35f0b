package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
)

// runStatus reads the database, beside a running service or without one.
func runStatus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, place := flags("status", "", stderr)
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	at, err := place.database()
	if err != nil {
		return err
	}
	db, err := store.OpenReadOnly(ctx, at)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := service.ReadStatus(ctx, db)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(stdout, s)
	}
	return printStatus(stdout, s)
}

func printStatus(w io.Writer, s service.Status) error {
	fmt.Fprintf(w, "%d structures in the list, imported %s\n", s.Structures, moment(s.Imported))
	fmt.Fprintf(w, "territory %s, roster %d: %d records (%d notices, %d revocations), %d refused, %d forked logs\n\n",
		s.Territory, s.Roster, s.Records, s.Notices, s.Revocations, s.Refused, s.Forks)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HUB\tNAME\tRECORDS\tNOTICES\tREVOCATIONS\tHELD\tCHECKPOINT\tSEEN\tDRIFT\tJOURNAL\tSTRUCTURES\tASIDE")
	for _, h := range s.Hubs {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%d\t%d\n", h.ID, h.Name, h.Records, h.Notices, h.Revocations, h.Held, h.Checkpoint,
			moment(h.Seen), drift(h), journalState(h), h.Listed, h.Aside)
	}
	return t.Flush()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}

func journalState(h service.HubStatus) string {
	if h.Contradicted.IsZero() {
		return "continues"
	}
	return "REWRITTEN " + moment(h.Contradicted)
}

func drift(h service.HubStatus) string {
	if h.Compared.IsZero() {
		return "?"
	}
	return strconv.Itoa(h.Drift)
}
