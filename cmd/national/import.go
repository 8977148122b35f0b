package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"relais/cmd/national/internal/store"
	"relais/node"
	"relais/sync/national"
)

// maxListOctets bounds a file to import: some 100,000 structures.
const maxListOctets = 64 << 20

// listColumns are those of a CSV file, in any order; id and name are required.
var listColumns = []string{"id", "name", "siret", "commune", "postcode", "address", "habilitation", "since"}

// runImport makes the list of structures what a file says, whole: JSON, or CSV by its
// name. A file with a structure that a hub could not read is refused, and nothing
// changes.
func runImport(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, place := flags("import-structures", " FILE", stderr)
	if err := parse(f, args, 1); err != nil {
		return err
	}
	list, err := readList(f.Arg(0))
	if err != nil {
		return fmt.Errorf("%s: %w", f.Arg(0), err)
	}
	at, err := place.database()
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	defer db.Close()
	done, err := db.ReplaceList(ctx, list, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d structures: %d new, %d changed, %d gone\n", len(list), done.Created, done.Updated, done.Gone)
	return err
}

func readList(path string) ([]store.Structure, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxListOctets+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxListOctets:
		return nil, fmt.Errorf("more than %d octets", maxListOctets)
	}
	var typed []national.Structure
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		typed, err = parseCSV(content)
	} else {
		typed, err = parseJSON(content)
	}
	if err != nil {
		return nil, err
	}
	return checkList(typed)
}

func parseJSON(content []byte) (list []national.Structure, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list")
	}
	return list, nil
}

// parseCSV reads what a spreadsheet writes: a line of column names, then one a
// structure, between commas or semicolons.
func parseCSV(content []byte) (list []national.Structure, err error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(content))
	if head, _, _ := bytes.Cut(content, []byte("\n")); bytes.ContainsRune(head, ';') {
		r.Comma = ';'
	}
	names, err := r.Read()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.Contains(listColumns, name) {
			return nil, fmt.Errorf("column %.40q is none of %s", name, strings.Join(listColumns, ", "))
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, ofCells(names, cells))
	}
}

func ofCells(names, cells []string) (s national.Structure) {
	var h national.Habilitation
	var state string
	fields := map[string]*string{
		"id": &s.ID, "name": &s.Name, "siret": &s.SIRET, "commune": &s.Commune,
		"postcode": &s.Postcode, "address": &s.Address, "habilitation": &state, "since": &h.Since,
	}
	for i, name := range names {
		*fields[name] = strings.TrimSpace(cells[i])
	}
	if h.State = node.Habilitation(state); h != (national.Habilitation{}) {
		s.Habilitation = &h
	}
	return s
}

// checkList refuses what hubs could not read, by its place in the file.
func checkList(typed []national.Structure) (list []store.Structure, err error) {
	seen := map[[16]byte]int{}
	for i, s := range typed {
		e, err := s.Entry()
		switch {
		case err != nil:
			return nil, fmt.Errorf("structure %d: %w", i+1, err)
		case s.Gone:
			return nil, fmt.Errorf("structure %d: what is left out of the file is gone; gone is not to be said", i+1)
		case seen[e.ID] > 0:
			return nil, fmt.Errorf("structure %d has the identifier of structure %d", i+1, seen[e.ID])
		}
		seen[e.ID] = i + 1
		list = append(list, store.Structure{
			ID: e.ID, Name: e.Name, SIRET: e.SIRET, Commune: e.Commune, Postcode: e.Postcode, Address: e.Address,
			Habilitation: string(e.Habilitation), Since: e.Since,
		})
	}
	return list, nil
}
