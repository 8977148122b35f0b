package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"relais/node"
)

func runVerify(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "verify [--json] [--config FILE | FOLDER | COPY.db]")
	config := f.String("config", defaultConfig, "configuration `file` of the hub to check, when no path is given")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 1); err != nil {
		return err
	}
	path := f.Arg(0)
	if path == "" {
		c, err := loadConfig(*config)
		if err != nil {
			return err
		}
		path = c.Hub.DataDir
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && f.NArg() == 1 {
		return fmt.Errorf("%s: no such file or folder", path)
	}
	report, err := node.VerifyFolder(ctx, path)
	if err != nil {
		return err
	}
	if *asJSON {
		if err := json.NewEncoder(std.out).Encode(report); err != nil {
			return err
		}
	} else if report.OK {
		fmt.Fprintf(std.out, "the journal holds: %d entries, root %s, %d under a signed checkpoint\n", report.Entries, report.Root, report.Checkpoint)
		for _, s := range report.Seen {
			fmt.Fprintf(std.out, "seen by %s: the first %d entries, as they are, no later than %s\n", s.By, s.Entries, s.At.Format(time.RFC3339))
		}
	}
	if report.OK {
		return nil
	}
	if report.BadEntry >= 0 {
		return failWith(exitProof, "the journal does not hold at entry %d: %s", report.BadEntry, report.Problem)
	}
	return failWith(exitProof, "the journal does not hold: %s", report.Problem)
}
