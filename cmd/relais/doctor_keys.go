package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"relais/hardware/keyring"
	"relais/node"
)

// checkKeyring reads the keyring without opening it.
func (d *doctor) checkKeyring() {
	k, err := keyring.Describe(d.config.Hub.DataDir)
	switch {
	case errors.Is(err, keyring.ErrNone) && holds(d.config.Hub.DataDir, databaseFile):
		d.failed(exitLocked, "keyring", "Les deux exemplaires du fichier des clés ont disparu, et les données ne s’ouvrent pas sans lui.",
			"N’effacez rien\u00a0: restaurez keyring.json depuis une sauvegarde.", err.Error())
		return
	case errors.Is(err, keyring.ErrNone):
		d.failed(exitFailed, "keyring", "Le dossier ne contient pas de relais.",
			"Créez-le par relais init, ou corrigez « data_dir » dans [hub].", err.Error())
		return
	case errors.Is(err, keyring.ErrNewer), errors.Is(err, keyring.ErrTorn):
		d.locked("keyring", err)
		return
	case err != nil:
		d.failed(exitFailed, "keyring", "Le fichier des clés ne peut pas être lu.", asItsUser, err.Error())
		return
	}
	d.keys = &k
	d.checkGenerations()
	d.checkProvider()
	d.checkSlots()
}

func (d *doctor) checkGenerations() {
	switch k := d.keys; {
	case k.Current != nil:
		d.attention("keyring", "L’exemplaire courant du fichier des clés est abîmé, le précédent est entier.",
			"Rien à faire\u00a0: le relais le répare à son prochain démarrage\u00a0; si cela revient, changez le disque.", k.Current.Error())
	case k.Previous != nil:
		d.attention("keyring", "Le second exemplaire du fichier des clés est abîmé ou absent.",
			"Rien à faire\u00a0: le relais le récrit à son prochain démarrage\u00a0; si cela revient, changez le disque.", k.Previous.Error())
	case !k.Same:
		d.attention("keyring", "Les deux exemplaires du fichier des clés diffèrent\u00a0: un changement de clé ou une remise en service a été coupé avant de prendre effet.",
			"Redémarrez le relais, qui les remet d’accord si ses clés s’ouvrent ici\u00a0; sinon, relancez relais recover.", "keyring.previous.json never served; the current one is the truth where it opens")
	default:
		d.ok("keyring", "Les deux exemplaires du fichier des clés sont entiers et identiques.", "")
	}
}

// checkProvider compares what was pinned with what is configured.
func (d *doctor) checkProvider() {
	pinned, wanted := d.keys.Provider, d.config.Keys.Provider
	detail := fmt.Sprintf("pinned %s, configured %s", pinned, wanted)
	switch {
	case wanted != "auto" && wanted != string(pinned):
		d.locked("provider", fmt.Errorf("%w: %s", keyring.ErrOtherProvider, detail))
	case pinned == keyring.KindSoftware:
		d.attention("provider", "Les clés sont gardées par un fichier, sans puce de sécurité\u00a0: qui copie le dossier a les clés.",
			"Sur une machine qui a une puce de sécurité, recréez ce relais, ou passez-l’y par relais recover avec provider = \"tpm\".", detail)
	default:
		d.ok("provider", "Les clés sont gardées par la puce de sécurité de la machine.", detail)
	}
}

// checkSlots looks at what opens the keys when the machine is lost.
func (d *doctor) checkSlots() {
	slots := d.keys.Slots
	detail := listSlots(slots)
	switch {
	case !slices.Contains(slots, d.keys.Provider):
		d.failed(exitLocked, "slots", "Rien dans le fichier des clés ne s’ouvre par cette machine.",
			"Restaurez keyring.json depuis une sauvegarde, ou "+keyring.ByRecovery, detail)
	case !slices.Contains(slots, keyring.KindRecovery):
		d.attention("slots", "Aucun code de récupération n’ouvre ce relais.",
			"Si la machine se perd, les données se perdent avec elle\u00a0: sauvegardez-les autrement, et recréez ce relais dès que possible.", detail)
	case d.config.Keys.Departement != "" && !slices.Contains(slots, keyring.KindDepartement):
		d.attention("slots", "La configuration nomme la clé du département, et elle n’ouvre pas ce relais.",
			"Ajoutez-la par relais rekey --departement suivi de cette clé (age1…)\u00a0; un nouveau code de récupération remplacera l’actuel.", detail)
	case slices.Contains(slots, keyring.KindDepartement):
		d.ok("slots", "Si la machine se perd, le code de récupération et la clé du département ouvrent les données.", detail)
	default:
		d.ok("slots", "Si la machine se perd, le code de récupération ouvre les données.", detail)
	}
}

// checkOpens opens the keys as a start does, where no process uses them.
func (d *doctor) checkOpens(p keyring.Provider) {
	switch {
	case d.running != nil && !d.running.Locked:
		d.ok("opens", "Le relais a ouvert ses clés.", "the running hub says so")
	case !d.asleep(): // locked, and said; or unknown
	default:
		if err := keyring.Try(d.config.Hub.DataDir, p); err != nil {
			d.locked("opens", err)
			return
		}
		d.ok("opens", "Les clés s’ouvrent sur cette machine.", "")
	}
}

// checkIdentity compares who the keyring says the hub is with whom the folder is
// of. Neither is opened.
func (d *doctor) checkIdentity(ctx context.Context) {
	i, err := node.InspectFolder(ctx, d.config.Hub.DataDir)
	unmade := errors.Is(err, node.ErrHalfWritten) || errors.Is(err, node.ErrNoFolder)
	switch {
	case errors.Is(err, node.ErrNoFolder) && d.keys == nil: // no hub at all, and said
		return
	case unmade && wasWhole(d.config.Hub.DataDir):
		d.failed(exitFailed, "identity", "La base de données de ce relais a disparu, ou a été vidée.",
			"N’effacez rien\u00a0: restaurez relais.db depuis une sauvegarde.", errDatabaseLost.Error())
		return
	case unmade:
		d.failed(exitFailed, "identity", "La création de ce relais a été interrompue.",
			"Rien n’y a encore été fait\u00a0: effacez le dossier et relancez relais init.", err.Error())
		return
	case errors.Is(err, node.ErrDamaged):
		d.failed(exitProof, "identity", "La base de données du relais est abîmée.",
			"Gardez-la à part pour examen (relais verify dit ce qui tient), et restaurez une sauvegarde.", err.Error())
		return
	case err != nil:
		d.failed(exitFailed, "identity", "La base de données du relais ne peut pas être lue.", asItsUser, err.Error())
		return
	}
	d.folder = &i
	switch {
	case i.Birth.Territory != d.config.Hub.Territory:
		d.failed(exitFailed, "identity", "La configuration nomme un autre territoire que celui de ce relais.",
			"Corrigez « territory » dans [hub], ou donnez à l’autre relais son propre dossier.",
			fmt.Sprintf("folder %s, configured %s", i.Birth.Territory, d.config.Hub.Territory))
	case d.keys != nil && !bytes.Equal(d.keys.Identity, i.Keys.Identity):
		d.locked("identity", otherIdentity(errors.New("the keyring's identity is not the folder's"), d.keys.Used))
	case d.keys != nil:
		d.ok("identity", "Les clés et le dossier sont du même relais.", i.Keys.Hub.String())
	}
}
