package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"path/filepath"

	"relais/node/territory"
)

// maxCertificateOctets bounds ca.pem.
const maxCertificateOctets = 64 << 10

// checkAuthority compares what browsers are to trust here, which the hub leaves in
// ca.pem, with the territory's authority: where they differ, whoever trusts the
// territory is warned off this hub's pages. The certificate itself is sealed.
func (d *doctor) checkAuthority(r *territory.Roster) {
	if len(r.Authority) == 0 {
		return
	}
	text, err := readBounded(filepath.Join(d.config.Hub.DataDir, authorityFile), maxCertificateOctets)
	block, _ := pem.Decode(text)
	switch {
	case err == nil && block != nil && bytes.Equal(block.Bytes, r.Authority):
		d.ok("authority", "Le certificat des pages de ce relais est sous celui du territoire.", "")
		return
	case err == nil:
		err = errors.New("ca.pem is not the authority that the roster names")
	}
	remedy := "Demandez une invitation au département, puis lancez relais join CODE."
	if d.asleep() { // it joined since it last served, perhaps
		remedy = "Démarrez le relais, qui récrit ca.pem\u00a0; si cela reste, demandez une invitation au département, puis lancez relais join CODE."
	}
	d.attention("authority", "Le certificat des pages de ce relais n’est pas sous celui du territoire\u00a0: les postes qui font confiance au territoire s’en méfient.", remedy, err.Error())
}
