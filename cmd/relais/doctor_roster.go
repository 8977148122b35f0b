package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
)

// What makes hub.json, and the roster, say what the configuration says.
const (
	rewriteRequest = "Démarrez le relais\u00a0: il récrit hub.json de lui-même."
	enrolAgain     = "Démarrez le relais, demandez une invitation au département, puis lancez relais join CODE\u00a0: le registre dira ce que dit la configuration."
)

// checkRequest reads hub.json: is it there, and this hub's?
func (d *doctor) checkRequest() {
	e, err := readRequest(filepath.Join(d.config.Hub.DataDir, requestFile), d.config.Hub.Territory)
	self := d.folder.Keys
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.attention("request", "La demande d’inscription hub.json a disparu du dossier.", rewriteRequest, err.Error())
	case err != nil:
		d.attention("request", "La demande d’inscription hub.json ne peut pas être lue.", rewriteRequest, err.Error())
	case e.Hub.ID != self.Hub, !bytes.Equal(e.Hub.Witness, self.Witness), e.Hub.Recipient != self.Recipient:
		d.attention("request", "La demande d’inscription hub.json n’est pas celle de ce relais.", rewriteRequest,
			fmt.Sprintf("the request says %s, the folder %s", e.Hub.ID, self.Hub))
	default:
		if d.sameAddresses("request", "hub.json", rewriteRequest, e.Hub) {
			d.ok("request", "La demande d’inscription hub.json est celle de ce relais, et dit ses adresses.", self.Hub.String())
		}
	}
}

// sameAddresses compares what hub.json or the roster says with the configuration.
func (d *doctor) sameAddresses(key, where, remedy string, h territory.Hub) bool {
	c := d.config
	same := true
	if !slices.Equal(h.Addresses, c.Link.Advertise) {
		same = false
		d.attention(key, "L’adresse annoncée aux autres relais a changé depuis "+where+".", remedy,
			fmt.Sprintf("%s says %q, link.advertise says %q", where, h.Addresses, c.Link.Advertise))
	}
	if !slices.Equal(h.HostNames, c.Web.Names) || h.KioskName != c.Web.KioskName {
		same = false
		d.attention(key, "Les noms des pages ont changé depuis "+where+".", remedy,
			fmt.Sprintf("%s says %q and kiosk %q, [web] says %q and %q", where, h.HostNames, h.KioskName, c.Web.Names, c.Web.KioskName))
	}
	return same
}

// checkRoster looks at the roster that is kept, and at this hub's place in it.
func (d *doctor) checkRoster() {
	d.checkRoot()
	if d.folder.Forged != nil {
		d.failed(exitProof, "roster", "Le registre du territoire gardé ici n’est pas signé par son département, ou a été modifié.",
			renewFrench, d.folder.Forged.Error())
		return
	}
	r := d.folder.Roster
	if r != nil {
		d.ok("roster", fmt.Sprintf("Le registre du territoire est signé, en version %d, valable jusqu’au %s.", r.Version, r.ExpiresAt.In(r.Location()).Format("02/01/2006")),
			fmt.Sprintf("issued %s", r.IssuedAt.Format(time.RFC3339)))
	}
	standing := node.Standing(d.folder.Keys.Hub, r, d.now)
	for _, a := range standing {
		d.attention(a.Key, a.Message, remedyOf(a.Key).french, "")
	}
	if r == nil {
		return
	}
	if h, listed := r.Hub(d.folder.Keys.Hub); listed {
		d.checkEntry(h)
		d.checkRendezvous(r, h)
		d.checkAuthority(r)
	}
}

// checkRoot compares the root that was pinned when the hub was made with the one
// that was given.
func (d *doctor) checkRoot() {
	switch d.rootKey {
	case "":
	case d.folder.Birth.RootKey:
		d.ok("root", "La clé du territoire est celle que vous avez donnée.", d.rootKey)
	default:
		d.failed(exitProof, "root", "La clé du territoire n’est pas celle que vous avez donnée.",
			"Vérifiez la clé avec le département\u00a0: si celle d’ici est fausse, ce relais est à recréer.", "pinned "+d.folder.Birth.RootKey)
	}
}

// checkEntry compares this hub with what the roster says of it.
func (d *doctor) checkEntry(h territory.Hub) {
	self := d.folder.Keys
	if !bytes.Equal(h.Identity, self.Identity) || !bytes.Equal(h.Witness, self.Witness) || h.Recipient != self.Recipient {
		d.failed(exitProof, "entry", "Le registre donne à ce relais d’autres clés que les siennes.", enrolAgain, h.ID.String())
		return
	}
	if d.keys != nil && h.Assurance != d.keys.Provider.Assurance() {
		d.attention("entry", "Le registre se trompe sur ce qui garde les clés de ce relais.", enrolAgain,
			fmt.Sprintf("the roster says %s, the keyring %s", h.Assurance, d.keys.Provider))
		return
	}
	if d.sameAddresses("entry", "le registre", enrolAgain, h) && h.State == territory.HubActive {
		d.ok("entry", "Le registre inscrit ce relais, avec ses clés et ses adresses.", strings.Join(h.Addresses, " "))
	}
}

// checkNational compares the configuration with what the roster says of the
// national service.
func (d *doctor) checkNational() {
	c, r := d.config.National, d.folder.Roster
	listed := r != nil && r.National != nil
	switch {
	case c.Adapter == "none" && !listed:
		d.ok("national", "Il n’y a pas de service national ici.", "")
	case c.Adapter == "none":
		d.attention("national", "Le registre nomme un service national, et la configuration n’en veut pas.",
			"Réglez adapter = \"relais\" dans [national], ou laissez ainsi si c’est voulu.", r.National.URL)
	case !listed:
		d.attention("national", "La configuration demande le service national, et le registre ne le nomme pas.",
			"Demandez au département de l’inscrire (relais territory national).", "")
	case c.URL != "" && c.URL != r.National.URL:
		d.attention("national", "L’adresse du service national n’est pas celle du registre.",
			"Retirez « url » de [national], sauf si elle est voulue.", fmt.Sprintf("national.url %s, roster %s", c.URL, r.National.URL))
	default:
		d.ok("national", "Le service national est celui du registre.", r.National.URL)
	}
}

// checkClock compares the clock with what cannot be later than now.
func (d *doctor) checkClock() {
	behind := func(what string, then time.Time) bool {
		if !d.now.Before(then) {
			return false
		}
		d.failed(exitFailed, "clock", "L’horloge de la machine est en retard\u00a0: elle est d’avant "+what+".",
			remedyOf("clock").french, fmt.Sprintf("clock %s, %s", d.now.UTC().Format(time.RFC3339), then.UTC().Format(time.RFC3339)))
		return true
	}
	if behind("cette version de Relais", releaseTime()) {
		return
	}
	// The territory's clock may be somewhat ahead of a right one.
	if r := d.folder.Roster; r != nil && behind("le registre du territoire", r.IssuedAt.Add(-record.MaxClockSkew)) {
		return
	}
	d.ok("clock", "L’horloge de la machine est vraisemblable.", d.now.UTC().Format(time.RFC3339))
}
