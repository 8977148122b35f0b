package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/territory"
)

// status is how a running hub is, for the person who looks after the machine.
// It names no person.
type status struct {
	Version   string              `json:"version"`
	Hub       territory.HubID     `json:"hub"`
	Name      string              `json:"name"`
	Territory territory.Code      `json:"territory"`
	Assurance territory.Assurance `json:"assurance"`
	Slots     []keyring.Kind      `json:"slots"`            // what opens the keys
	Locked    bool                `json:"locked"`           // no slot opens: nothing below is known
	Reason    string              `json:"reason,omitempty"` // of that
	Pages     []string            `json:"pages"`            // addresses of the desk, then of the kiosk
	StartedAt time.Time           `json:"started_at"`

	RosterVersion uint32    `json:"roster_version"`
	RosterUntil   time.Time `json:"roster_until,omitzero"`

	FreshAt  time.Time `json:"fresh_at,omitzero"` // last comparison with another hub or the national service
	Seen     int       `json:"seen"`
	Expected int       `json:"expected"`

	Notices  int `json:"notices"`
	Stops    int `json:"stops"`
	Dossiers int `json:"dossiers"`
	Waiting  int `json:"waiting"` // records not signed yet

	National *node.NationalPass `json:"national,omitempty"`
	Alarms   []string           `json:"alarms,omitempty"` // keys
}

func runStatus(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "status [--config FILE] [--json]")
	config := f.String("config", defaultConfig, "configuration `file`")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	var s status
	if err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &s); err != nil {
		return err
	}
	if *asJSON {
		err = json.NewEncoder(std.out).Encode(s)
	} else {
		err = printStatus(std, s)
	}
	if err == nil && s.Locked {
		return failWith(exitLocked, "%s\n%s", s.Reason, lockedRemedy)
	}
	return err
}

func printStatus(std stdio, s status) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, name+"\t"+format+"\n", args...)
	}
	if s.Locked {
		line("hub", "%s, territory %s: LOCKED, no key slot opens", s.Name, s.Territory)
		line("version", "%s, up since %s", s.Version, s.StartedAt.Format(time.DateTime))
		line("slots", "%s", listSlots(s.Slots))
		return w.Flush()
	}
	line("hub", "%s (%s), territory %s, keys: %s", s.Name, s.Hub, s.Territory, s.Assurance)
	line("version", "%s, up since %s", s.Version, s.StartedAt.Format(time.DateTime))
	line("slots", "%s", listSlots(s.Slots))
	line("pages", "%s", strings.Join(s.Pages, " "))
	line("roster", "version %d, until %s", s.RosterVersion, day(s.RosterUntil))
	line("others", "%d of %d heard, information of %s", s.Seen, s.Expected, moment(s.FreshAt))
	line("knows", "%d mandates, %d stops, %d dossiers; %d records to sign", s.Notices, s.Stops, s.Dossiers, s.Waiting)
	if n := s.National; n != nil {
		line("national", "%s: %d up, %d down, drift %d, %d octets out, %d in %s", moment(n.At), n.Up, n.Down, n.Drift, n.OctetsOut, n.OctetsIn, n.Err)
	}
	for _, a := range s.Alarms {
		line("alarm", "%s", a)
	}
	return w.Flush()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

func day(t time.Time) string {
	if t.IsZero() {
		return "none yet"
	}
	return t.Format(time.DateOnly)
}
