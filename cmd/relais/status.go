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
	"relais/sync/link"
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
	Rekeying  node.Rekeying       `json:"rekeying"`         // which key, and whether the one before is still needed
	Locked    bool                `json:"locked"`           // no slot opens: nothing below is known
	Reason    string              `json:"reason,omitempty"` // of that, in English
	Why       *told               `json:"why,omitempty"`    // the same, in French and with the remedy
	Pages     []string            `json:"pages"`            // addresses of the desk, then of the kiosk
	StartedAt time.Time           `json:"started_at"`

	RosterVersion uint32    `json:"roster_version"`
	RosterUntil   time.Time `json:"roster_until,omitzero"`

	FreshAt  time.Time `json:"fresh_at,omitzero"` // last comparison with another hub or the national service
	Seen     int       `json:"seen"`
	Expected int       `json:"expected"`

	News    *node.Propagation `json:"news,omitempty"`    // how long signs of life of the others were on their way
	Transit *link.Transit     `json:"transit,omitempty"` // what it passes on between hubs that cannot call each other

	Notices  int `json:"notices"`
	Stops    int `json:"stops"`
	Dossiers int `json:"dossiers"`
	Waiting  int `json:"waiting"` // records not signed yet

	National *node.NationalPass `json:"national,omitempty"`
	Journal  node.JournalSeen   `json:"journal"`          // what the national service said of it
	List     node.NationalList  `json:"list"`             // of its structures, as far as it was followed
	Alarms   []string           `json:"alarms,omitempty"` // keys

	Commands uint64 `json:"tpm_commands,omitempty"` // sent to the TPM since the start, where this process holds it
}

// told is something for a person to look at, in French, with a constant key.
type told struct {
	Key     string `json:"key"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
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
		if s.Why != nil { // a hub of an earlier version says none
			line("reason", "%s: %s", s.Why.Key, s.Why.Message)
			line("remedy", "%s", s.Why.Remedy)
		}
		return w.Flush()
	}
	line("hub", "%s (%s), territory %s, keys: %s", s.Name, s.Hub, s.Territory, s.Assurance)
	line("version", "%s, up since %s", s.Version, s.StartedAt.Format(time.DateTime))
	line("slots", "%s", listSlots(s.Slots))
	if k := s.Rekeying; k.UnderWay {
		line("rekey", "re-sealing under a new key: %d left (key %d)", k.Left, k.Key)
	}
	line("pages", "%s", strings.Join(s.Pages, " "))
	line("roster", "%s", s.roster())
	line("others", "%s", s.others())
	if p := s.News; p != nil {
		line("news", "%.1f s on the way, 99 of 100 within %.1f s, of the last %d signs of life", p.P50.Seconds(), p.P99.Seconds(), p.Of)
	}
	if t := s.Transit; t != nil && t.Octets > 0 {
		line("passes on", "%d octets since the start, between hubs that cannot call each other; %d tunnels open", t.Octets, t.Tunnels)
	}
	line("knows", "%d mandates, %d stops, %d dossiers; %d records to sign", s.Notices, s.Stops, s.Dossiers, s.Waiting)
	if n := s.National; n != nil {
		line("national", "%s: %d up, %d down, drift %d, %d octets out, %d in %s", n.At.Local().Format(time.DateTime), n.Up, n.Down, n.Drift, n.OctetsOut, n.OctetsIn, n.Err)
	}
	if l := s.List; l.Cursor != "" {
		line("structures", "%d of %d of the national service's list, %d set aside", l.Here, l.There, l.Aside)
	}
	switch j := s.Journal; {
	case !j.Refused.IsZero():
		line("journal", "REFUSED by the national service since %s: it saw %d entries, and this journal does not continue them", j.Refused.Local().Format(time.DateTime), j.Held)
	case j.Entries > 0:
		line("journal", "%d entries seen by the national service, no later than %s", j.Entries, j.At.Local().Format(time.DateTime))
	}
	for _, a := range s.Alarms {
		line("alarm", "%s: %s", a, remedy(a))
	}
	return w.Flush()
}

func (s status) roster() string {
	if s.RosterVersion == 0 {
		return "none yet"
	}
	return fmt.Sprintf("version %d, until %s", s.RosterVersion, s.RosterUntil.Format(time.DateOnly))
}

func (s status) others() string {
	switch {
	case s.RosterVersion == 0:
		return "unknown before the first roster"
	case s.Expected <= 1:
		return "none in the roster"
	case s.FreshAt.IsZero():
		return fmt.Sprintf("%d of %d heard, nothing compared with them yet", s.Seen, s.Expected)
	}
	return fmt.Sprintf("%d of %d heard, information of %s", s.Seen, s.Expected, s.FreshAt.Local().Format(time.DateTime))
}
