package main

import (
	"fmt"
	"strings"

	"relais/node/territory"
)

// checkRendezvous looks whether a hub that nobody can call has where to meet the
// others, and whether the configuration names hubs at which one can.
func (d *doctor) checkRendezvous(r *territory.Roster, self territory.Hub) {
	var others, answering []territory.Hub
	for _, h := range r.Hubs {
		if h.ID == self.ID || h.State != territory.HubActive {
			continue
		}
		others = append(others, h)
		if len(h.Addresses) > 0 {
			answering = append(answering, h)
		}
	}
	var unknown []string
	for _, name := range d.config.Link.Rendezvous {
		if !named(answering, name) {
			unknown = append(unknown, name)
		}
	}
	uncalled := len(self.Addresses) == 0 && len(others) > 0
	switch {
	case len(unknown) > 0:
		d.attention("rendezvous", "La configuration nomme, pour joindre les autres, un relais que le registre ne connaît pas, ou sans adresse.",
			"Corrigez rendezvous dans [link]\u00a0: l’identifiant ou le nom d’un relais qui a une adresse.", strings.Join(unknown, ", "))
	case uncalled && len(answering) < 2:
		d.attention("rendezvous", "Ce relais ne peut pas être appelé, et le registre n’a pas deux relais qui peuvent l’être\u00a0: un seul arrêt l’isole.",
			"Donnez une adresse à deux relais au moins du territoire.", fmt.Sprintf("%d hubs with an address", len(answering)))
	case uncalled:
		d.ok("rendezvous", fmt.Sprintf("Ce relais ne peut pas être appelé\u00a0: %d autres relais peuvent lui transmettre.", len(answering)), "")
	}
}

func named(hubs []territory.Hub, name string) bool {
	for _, h := range hubs {
		if name == h.Name || name == h.ID.String() {
			return true
		}
	}
	return false
}
