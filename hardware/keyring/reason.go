package keyring

import (
	"errors"
	"fmt"

	"relais/node/fault"
)

// Reason is why the keys of a hub do not open, told once for each who must know:
// the log, the page of a locked hub, relais status and relais doctor. It is an
// error to be found by errors.Is; each provider has its own.
type Reason struct {
	Key     string // constant, for machines; a name once given stays
	Text    string // English, remedy included, for logs and terminals
	Message string // French, one sentence: what is
	Remedy  string // French, one sentence: what to do, to whoever looks after the machine
}

// Error is the English text.
func (r *Reason) Error() string { return r.Text }

// ByRecovery ends the French remedy of what only a spare key mends.
const ByRecovery = "rouvrez le relais par relais recover, avec son code de récupération ou la clé du département."

// What a keyring may be, whatever the machine.
var (
	// ErrOtherProvider means that the keys were made with the other provider.
	ErrOtherProvider = &Reason{
		Key: "other-provider", Text: "a hub never changes its key provider by itself",
		Message: "La configuration demande une autre protection des clés que celle avec laquelle ce relais a été créé.",
		Remedy:  "Remettez « provider » comme il était dans [keys], puis redémarrez le relais\u00a0; si la machine a vraiment changé, " + ByRecovery,
	}
	// ErrTorn means that neither generation of the file can be read.
	ErrTorn = &Reason{
		Key: "keyring-torn", Text: "both generations of the keyring are lost, restore keyring.json from a backup",
		Message: "Les deux exemplaires du fichier des clés sont abîmés.",
		Remedy:  "Restaurez keyring.json depuis une sauvegarde\u00a0: le code de récupération seul ne suffit pas.",
	}
	// ErrForeign means that a slot opened to a key that is not the file's.
	ErrForeign = &Reason{
		Key: "keyring-altered", Text: "it opens, to a key that is not this keyring's: the file was altered",
		Message: "Le fichier des clés a été modifié\u00a0: la clé qu’il contient n’est pas celle de ce relais.",
		Remedy:  "Restaurez keyring.json depuis une sauvegarde, ou " + ByRecovery,
	}
	// ErrNewer means that the keyring was written by a later version of Relais.
	ErrNewer = &Reason{
		Key: "keyring-newer", Text: "keyring.json was written by a later version of relais: install that version",
		Message: "Le fichier des clés a été écrit par une version plus récente de Relais.",
		Remedy:  "Installez cette version, ou une plus récente.",
	}
	// unexplained is for an error that holds no Reason.
	unexplained = &Reason{
		Key: "unexplained", Text: ErrLocked.Error(),
		Message: "La clé de ce relais ne s’ouvre pas sur cette machine.",
		Remedy:  "Lisez le journal du service (journalctl -u relais)\u00a0; si la machine ne peut plus l’ouvrir, " + ByRecovery,
	}
)

// Why returns the reason inside an error. One that holds none gets the general
// one; it is never nil.
func Why(err error) *Reason {
	if r, ok := errors.AsType[*Reason](err); ok {
		return r
	}
	return unexplained
}

// Locked returns a fault.Locked that wraps ErrLocked and why; its message, for the
// page, is that of the Reason inside.
func Locked(why error) error {
	r := Why(why)
	message := r.Message + " Les données sont intactes. Montrez cette page au service informatique. " + r.Remedy
	return fault.New(fault.Locked, message, fmt.Errorf("%w: %w", ErrLocked, why))
}
