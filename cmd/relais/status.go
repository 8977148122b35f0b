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
	line("roster", "%s", s.roster())
	line("others", "%s", s.others())
	line("knows", "%d mandates, %d stops, %d dossiers; %d records to sign", s.Notices, s.Stops, s.Dossiers, s.Waiting)
	if n := s.National; n != nil {
		line("national", "%s: %d up, %d down, drift %d, %d octets out, %d in %s", n.At.Local().Format(time.DateTime), n.Up, n.Down, n.Drift, n.OctetsOut, n.OctetsIn, n.Err)
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

// remedies say what an alarm means and what to do, to the person who looks after
// the machine. The screens say it in French, to helpers.
var remedies = map[string]string{
	"no-roster":      "no mandate can be created; ask your territory for its roster, then relais territory install roster.note",
	"not-listed":     "this hub is not in the roster, the others do not hear it; hand hub.json to your territory: relais territory add-hub, then issue",
	"expelled":       "this hub was expelled, what it does is not recognised elsewhere; call your territory",
	"roster-expired": "known hubs still talk to each other; have the territory issue a roster, then relais territory install roster.note",
	"roster-expires": "within 30 days; have the territory issue a roster, then relais territory install roster.note",
	"clock":          "the clock is wrong or cannot be trusted, nothing is granted; set it, then timedatectl status",
	"peer-clock":     "the page names a hub whose clock and this one's disagree; look at both, and at the battery of the one that is wrong: timedatectl status",
	"restored":       "this folder is not known to be the newest: a backup was put back, or the counter is gone; leave the hub on and connected until all others answered, then journalctl -u relais for the cause",
	"counter":        "the machine cannot count for this hub, an old backup put back would go unseen; journalctl -u relais says why: an owner password (tpm2_changeauth -c owner), or a TPM whose storage is full (tpm2_nvundefine)",
	"twin":           "two machines speak as this hub, nothing is granted here; switch the copy off, and call your territory: it expels this identity, and the hub is made anew",
	"forked":         "a hub's machine was copied or brought back in time, its recent mandates are suspended everywhere; the page names it; switch the copy off, and call your territory",
	"conflict":       "a mandate exists in two versions and is refused; have it made again",
	"wrong-code":     "a hub announced a stop with a code that is not the mandate's, to no effect; tell your territory",
	"mute":           "records were kept that this version cannot read; see relais version and bring this hub up to date",
	"unsigned":       "the machine's key does not answer and nothing leaves this hub; look at the TPM, then journalctl -u relais",
	"logs":           "a hub began its history again many times: its machine is often brought back in time, or taken over; call your territory",
	"flood":          "a site stopped many mandates of others in an hour; check with it, and tell your territory",
	"island":         "no other hub answers; look at the box and the cable, then at [link] in the configuration",
	"national":       "the national service has not answered for a day; the room does not need it; look at [national] in the configuration",
	"drift":          "this hub and the national service still differ after a pass; if it lasts, tell your territory",
}

func remedy(alarm string) string {
	if words, known := remedies[alarm]; known {
		return words
	}
	return "see the page État du territoire"
}
