package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// metricsType is the Prometheus text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// metrics tells a status to the machine's monitoring, in the Prometheus text
// format 0.0.4. It is written by hand: a few gauges need no library. What is not
// known is left out rather than zero.
func (s status) metrics(now time.Time) []byte {
	var e exposition
	e.gauge("relais_build_info", "The version that runs.", 1, "version", s.Version)
	e.gauge("relais_locked", "1 when no key slot opens, and the hub does nothing.", truth(s.Locked))
	if s.Assurance != "" {
		e.gauge("relais_keys_assurance", "What guards the hub's keys: a TPM, or a file (software).", 1, "assurance", string(s.Assurance))
	}
	if s.Locked {
		return e.Bytes()
	}
	e.gauge("relais_roster_version", "Version of the territory's roster, 0 before the first.", float64(s.RosterVersion))
	if !s.RosterUntil.IsZero() {
		e.gauge("relais_roster_expires_seconds", "Until the roster should be renewed; negative once it is over.", s.RosterUntil.Sub(now).Seconds())
	}
	e.gauge("relais_records_unsigned", "Records made here that the other hubs do not have yet, for want of a signature.", float64(s.Waiting))
	e.gauge("relais_hubs_seen", "Hubs heard of late, this one included.", float64(s.Seen))
	e.gauge("relais_hubs_expected", "Hubs of the roster, this one included.", float64(s.Expected))
	if p := s.News; p != nil {
		const name, help = "relais_news_delay_seconds", "How long signs of life of the other hubs were on their way, over the latest."
		e.gauge(name, help, p.P50.Seconds(), "quantile", "0.5")
		e.gauge(name, help, p.P99.Seconds(), "quantile", "0.99")
	}
	if !s.FreshAt.IsZero() {
		e.gauge("relais_fresh_age_seconds", "Since the last comparison with another hub or the national service.", now.Sub(s.FreshAt).Seconds())
	}
	if t := s.Transit; t != nil {
		e.gauge("relais_tunnels", "Tunnels open through this hub, between hubs that cannot call each other.", float64(t.Tunnels))
		e.sample("counter", "relais_tunnels_refused_total", "Tunnels refused since the start, being too many.", float64(t.Refused))
		e.sample("counter", "relais_tunnel_octets_total", "Octets passed on in them since the start, both ways.", float64(t.Octets))
	}
	raised := map[string]bool{} // one key may be raised for several hubs
	for _, alarm := range s.Alarms {
		if !raised[alarm] {
			e.gauge("relais_alarms", "1 for each alarm that is raised; relais status says what to do.", 1, "key", alarm)
		}
		raised[alarm] = true
	}
	if s.Commands > 0 {
		e.sample("counter", "relais_tpm_commands_total", "Commands sent to the TPM since the start.", float64(s.Commands))
	}
	return e.Bytes()
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// exposition is a text of samples. Those of one name follow each other.
type exposition struct {
	bytes.Buffer
	last string // name
}

func (e *exposition) gauge(name, help string, value float64, label ...string) {
	e.sample("gauge", name, help, value, label...)
}

// labelEscapes are those of a label's value.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes a value, of one label or none: its name, then its value.
func (e *exposition) sample(kind, name, help string, value float64, label ...string) {
	if name != e.last {
		fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		e.last = name
	}
	if len(label) == 2 {
		name += fmt.Sprintf(`{%s="%s"}`, label[0], labelEscapes.Replace(label[1]))
	}
	fmt.Fprintf(e, "%s %v\n", name, value)
}
