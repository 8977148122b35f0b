package main

import (
	"context"

	"relais/hardware/keyring"
)

// An examination is what the hub that runs says to relais doctor: what only it may
// ask, of its device and of its node.
type examination struct {
	Alarms  []told             `json:"alarms"`
	Device  *keyring.Condition `json:"device,omitempty"`  // nil: a file guards the keys, or there is trouble
	Trouble *told              `json:"trouble,omitempty"` // the device did not say
	Detail  string             `json:"detail,omitempty"`  // of that, in English
}

// examination asks the hub's parts. A device that hangs takes as long as its own
// time-out; nobody in the room waits for it.
func (h *hub) examination(ctx context.Context) (e examination, err error) {
	view, err := h.node.Territory(ctx)
	if err != nil {
		return e, err
	}
	e.Alarms = []told{}
	for _, a := range view.Alarms {
		e.Alarms = append(e.Alarms, told{a.Key, a.Message, remedyOf(a.Key).french})
	}
	e.look(h.keys.Provider())
	return e, nil
}

// look asks what guards the keys, where it is a device.
func (e *examination) look(p keyring.Provider) {
	device, ok := p.(keyring.Examiner)
	if !ok {
		return
	}
	k, err := device.Examine()
	if err != nil {
		e.trouble(err)
		return
	}
	e.Device = &k
}

func (e *examination) trouble(err error) {
	r := keyring.Why(err)
	e.Trouble, e.Detail = &told{r.Key, r.Message, r.Remedy}, err.Error()
}

// lockedExamination asks the device of a hub that is locked, which holds it for no
// longer than it takes to try its keys.
func lockedExamination(c Config) (e examination) {
	kind, err := keyring.Pinned(c.Hub.DataDir)
	if err != nil {
		return e // the keyring is to be mended first
	}
	p, err := openProvider(kind, c)
	if err != nil {
		e.trouble(err)
		return e
	}
	defer p.Close()
	e.look(p)
	return e
}
