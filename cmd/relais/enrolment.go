package main

import (
	"fmt"
	"slices"

	"relais/node/territory"
)

// enrolmentFormat names the layout of hub.json.
const enrolmentFormat = "relais/v1/enrolment"

// An enrolment is what a new hub hands to those who keep the roster: public
// keys, name, addresses. Nothing in it is secret; what matters is that it is the
// machine's own, so its identifier is read aloud before it is added.
type enrolment struct {
	Format    string         `json:"format"`
	Territory territory.Code `json:"territory"`
	Hub       territory.Hub  `json:"hub"`
	// Replaces is who the hub was before it was recovered; nil for a new one.
	Replaces *replaced `json:"replaces,omitempty"`
}

// replaced is an identity that was lost, and where its logs end.
type replaced struct {
	Hub  territory.HubID `json:"hub"`
	Cuts []territory.Cut `json:"cuts"`
}

// replace closes the hub that was lost, where its logs end, and lets h serve the
// structures that it served; it stays among those, for what it said stands.
func replace(r *territory.Roster, lost replaced, h territory.HubID) error {
	i := slices.IndexFunc(r.Hubs, func(known territory.Hub) bool { return known.ID == lost.Hub })
	if i < 0 {
		return fmt.Errorf("the draft has no hub %s to replace", lost.Hub)
	}
	was := &r.Hubs[i]
	was.State, was.Cuts = territory.HubExpelled, lost.Cuts
	was.Addresses, was.HostNames, was.KioskName = nil, nil, "" // h answers there now
	for j := range r.Structures {
		s := &r.Structures[j]
		if s.ServedBy(lost.Hub) && !s.ServedBy(h) {
			s.Serving = append(s.Serving, h)
		}
	}
	return nil
}

// readEnrolment reads a request and checks that it is one, for this territory,
// and that its identifier is that of its key.
func readEnrolment(path string, code territory.Code) (enrolment, error) {
	var e enrolment
	if err := readJSON(path, &e); err != nil {
		return e, err
	}
	if e.Format != enrolmentFormat {
		return e, fmt.Errorf("%s: not the request of a hub (format %q)", path, e.Format)
	}
	if e.Territory != code {
		return e, fmt.Errorf("%s: made for territory %q, not %q", path, e.Territory, code)
	}
	return e, ownKey(path, e.Hub.ID, e.Hub.Identity)
}

// readNational reads the entry that the national service made of itself.
func readNational(path string) (territory.National, error) {
	var n territory.National
	if err := readJSON(path, &n); err != nil {
		return n, err
	}
	return n, ownKey(path, n.ID, n.Identity)
}

// ownKey checks that an identifier is that of the key beside it.
func ownKey(path string, id territory.HubID, spki []byte) error {
	if territory.HubIDOf(spki) != id {
		return fmt.Errorf("%s: identifier %s is not that of its key", path, id)
	}
	return nil
}
