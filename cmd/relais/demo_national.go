package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stageNational is the reference national service on the stage.
type stageNational struct {
	folder  string
	listen  string
	request string // its entry for the roster, a file
	process *child
}

func (s *stage) makeNational(ctx context.Context) error {
	n := &stageNational{folder: filepath.Join(s.dir, "national"), listen: freeAddress()}
	n.request = filepath.Join(s.dir, "national.json")
	s.national = n
	entry, err := capture(ctx, s.programs.national, "init", "--data", n.folder,
		"--name", "Service national (démonstration)", "--url", "https://"+n.listen)
	if err != nil {
		return err
	}
	return os.WriteFile(n.request, entry, 0o644)
}

// startNational hands the service its roster and starts it.
func (s *stage) startNational(ctx context.Context) (err error) {
	n := s.national
	if _, err := capture(ctx, s.programs.national, "install-roster", "--data", n.folder, "--root", s.rootKey, s.root.path(rosterFile)); err != nil {
		return err
	}
	log := filepath.Join(s.dir, "national.log")
	n.process, err = startChild("the national service", log, s.programs.national, "serve", "--data", n.folder, "--listen", n.listen)
	if err != nil {
		return err
	}
	s.children = append(s.children, n.process)
	for deadline := time.Now().Add(readyTimeout); ; {
		if strings.Contains(tail(log, 4096), "READY ") {
			return nil
		}
		if gone, _ := n.process.ended(); gone || time.Now().After(deadline) {
			return fmt.Errorf("the national service does not serve:\n%s", tail(log, 2000))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// nationalCounts is what the service says it holds, read beside it.
type nationalCounts struct {
	Records     int `json:"records"`
	Notices     int `json:"notices"`
	Revocations int `json:"revocations"`
}

func (s *stage) nationalCounts(ctx context.Context) (c nationalCounts, err error) {
	out, err := capture(ctx, s.programs.national, "status", "--data", s.national.folder, "--json")
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(out, &c)
}
