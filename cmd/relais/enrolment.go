package main

import (
	"fmt"

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
}

// readEnrolment reads a request and checks that it is one, for this territory,
// and that its identifier is that of its key.
func readEnrolment(path string, code territory.Code) (territory.Hub, error) {
	var e enrolment
	if err := readJSON(path, &e); err != nil {
		return e.Hub, err
	}
	if e.Format != enrolmentFormat {
		return e.Hub, fmt.Errorf("%s: not the request of a hub (format %q)", path, e.Format)
	}
	if e.Territory != code {
		return e.Hub, fmt.Errorf("%s: made for territory %q, not %q", path, e.Territory, code)
	}
	return e.Hub, ownKey(path, e.Hub.ID, e.Hub.Identity)
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
