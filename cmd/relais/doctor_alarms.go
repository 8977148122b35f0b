package main

import "slices"

// toldAlready are the alarms that checkRoster says, whether a hub runs or not.
var toldAlready = []string{"no-roster", "not-listed", "expelled", "roster-expired", "roster-expires"}

// checkAlarms says what the hub that runs raises, in its own words.
func (d *doctor) checkAlarms() {
	if d.running == nil || d.running.Locked {
		return
	}
	if d.saidErr != nil {
		d.attention("alarms", "Le relais n’a pas su dire ses alertes.", "Lisez journalctl -u relais.", d.saidErr.Error())
		return
	}
	quiet := true
	for _, a := range d.said.Alarms {
		if slices.Contains(toldAlready, a.Key) {
			continue
		}
		quiet = false
		d.attention("alarm-"+a.Key, a.Message, a.Remedy, "")
	}
	if quiet {
		d.ok("alarms", "Le relais ne signale rien d’autre.", "")
	}
}
