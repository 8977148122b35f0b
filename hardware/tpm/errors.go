package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
)

// What may be wrong with a TPM, and what to do about it.
var (
	ErrNoDevice = &keyring.Reason{
		Key: "no-device", Text: "there is no TPM here: enable it in the firmware (PTT, fTPM), or check [keys] device",
		Message: "La puce de sécurité de cette machine est introuvable.",
		Remedy:  "Réactivez-la dans les réglages du micrologiciel, ou corrigez « device » dans [keys]\u00a0; si elle est perdue, " + keyring.ByRecovery,
	}
	ErrPermission = &keyring.Reason{
		Key: "permission", Text: "this user may not use the TPM: add it to the group tss, or start the hub by its systemd unit",
		Message: "Le relais n’a pas le droit d’utiliser la puce de sécurité.",
		Remedy:  "Ajoutez son utilisateur au groupe tss, ou lancez-le par son service (systemctl start relais).",
	}
	ErrBusy = &keyring.Reason{
		Key: "busy", Text: "another program holds the TPM: stop it, or use " + DefaultDevice + ", which several may share",
		Message: "Un autre programme occupe la puce de sécurité.",
		Remedy:  "Arrêtez ce programme, ou réglez device = \"" + DefaultDevice + "\" dans [keys]\u00a0: plusieurs peuvent s’y partager la puce.",
	}
	ErrCleared = &keyring.Reason{
		Key: "cleared", Text: "the TPM was cleared (firmware menu, firmware update, or reinstallation): what it sealed is gone; open the hub with its recovery code, and make it a new one",
		Message: "La puce de sécurité a été effacée, par le menu du micrologiciel, une mise à jour ou une réinstallation\u00a0: ce qu’elle gardait est perdu.",
		Remedy:  "Pour ouvrir les données et donner au relais une nouvelle identité, " + keyring.ByRecovery,
	}
	ErrReplaced = &keyring.Reason{
		Key: "replaced", Text: "this is another TPM than the one this hub was made with (board changed, disk moved, or something stands between): put the disk back in its machine, or open the hub with its recovery code",
		Message: "La puce de sécurité n’est pas celle avec laquelle ce relais a été créé\u00a0: carte changée, disque déplacé, ou quelque chose s’interpose.",
		Remedy:  "Remettez le disque dans sa machine, ou " + keyring.ByRecovery,
	}
	ErrOwnerAuth = &keyring.Reason{
		Key: "owner-auth", Text: "the TPM's owner hierarchy has a password: have it removed (tpm2_changeauth -c owner), or a storage root key provisioned at 0x81000001",
		Message: "La puce de sécurité a un mot de passe de propriétaire, que le relais ne connaît pas.",
		Remedy:  "Faites retirer ce mot de passe (tpm2_changeauth -c owner), ou préparer une clé de stockage en 0x81000001.",
	}
	ErrLockout = &keyring.Reason{
		Key: "lockout", Text: "the TPM is in dictionary-attack lockout, set off by another program: wait for it to recover, or reset it (tpm2_dictionarylockout -c)",
		Message: "La puce de sécurité s’est bloquée pour un temps, après de mauvais mots de passe donnés par un autre programme.",
		Remedy:  "Attendez qu’elle se débloque, relais doctor dit dans combien de temps, ou levez le blocage (tpm2_dictionarylockout -c).",
	}
	ErrAltered = &keyring.Reason{
		Key: "altered", Text: "the TPM refuses this blob: the keyring was altered, or is another machine's",
		Message: "La puce de sécurité refuse le fichier des clés\u00a0: il a été modifié, ou il est celui d’une autre machine.",
		Remedy:  "Restaurez keyring.json depuis une sauvegarde de cette machine, ou " + keyring.ByRecovery,
	}
	ErrNotStarted = &keyring.Reason{
		Key: "not-started", Text: "the TPM was not started: a software TPM needs --flags startup-clear",
		Message: "La puce de sécurité simulée n’a pas été démarrée.",
		Remedy:  "Relancez swtpm avec --flags startup-clear.",
	}
	ErrClosed = &keyring.Reason{
		Key: "closed", Text: "the TPM was closed",
		Message: "Le relais n’utilise plus la puce de sécurité.",
		Remedy:  "Redémarrez le relais.",
	}
	ErrFull = &keyring.Reason{
		Key: "full", Text: "the TPM has no room for another key or session: another program leaves its own loaded",
		Message: "La puce de sécurité n’a plus de place\u00a0: un autre programme y laisse ses clés.",
		Remedy:  "Arrêtez ce programme, ou redémarrez la machine.",
	}
	// ErrSilent wraps whatever went wrong between us and the TPM, as opposed to
	// what the TPM said.
	ErrSilent = &keyring.Reason{
		Key: "silent", Text: "the TPM does not answer",
		Message: "La puce de sécurité ne répond pas.",
		Remedy:  "Redémarrez la machine\u00a0; si la puce ne répond toujours pas, " + keyring.ByRecovery,
	}
	ErrNotTPM2 = &keyring.Reason{
		Key: "not-tpm2", Text: "this is not a TPM 2.0",
		Message: "La puce de sécurité est d’une ancienne génération, que le relais ne sait pas utiliser.",
		Remedy:  "Passez-la en version 2.0 dans les réglages du micrologiciel, si la machine le permet, ou " + keyring.ByRecovery,
	}
	// ErrStorageFull means that no counter can be made. The hub serves without one.
	ErrStorageFull = &keyring.Reason{
		Key: "storage-full", Text: "the TPM's own storage is full: remove what nobody needs from it (tpm2_getcap handles-nv-index, tpm2_nvundefine)",
		Message: "La mémoire de la puce de sécurité est pleine\u00a0: elle ne peut pas compter pour ce relais.",
		Remedy:  "Retirez-en ce dont personne ne se sert (tpm2_getcap handles-nv-index, puis tpm2_nvundefine).",
	}
)

// Reasons names the errors above, and ErrRawDevice, for whoever carries them to
// another process: what they mean must not be lost on the way.
func Reasons() map[string]error {
	named := map[string]error{}
	for _, r := range []*keyring.Reason{
		ErrNoDevice, ErrPermission, ErrBusy, ErrRawDevice, ErrCleared, ErrReplaced, ErrAltered, ErrOwnerAuth,
		ErrLockout, ErrNotStarted, ErrFull, ErrStorageFull, ErrClosed, ErrSilent, ErrNotTPM2,
	} {
		named[r.Key] = r
	}
	return named
}

// explainOpen says what to do about a device that does not open.
func explainOpen(d device, err error) error {
	why := ErrSilent
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		why = ErrNoDevice
	case errors.Is(err, fs.ErrPermission):
		why = ErrPermission
	case errors.Is(err, syscall.EBUSY):
		why = ErrBusy
	}
	return fmt.Errorf("%s: %w (%w)", d, why, err)
}

// codes are the TPM's words for what Err… say.
var codes = map[tpm2.TPMRC]*keyring.Reason{
	tpm2.TPMRCLockout:       ErrLockout,
	tpm2.TPMRCInitialize:    ErrNotStarted,
	tpm2.TPMRCObjectMemory:  ErrFull,
	tpm2.TPMRCSessionMemory: ErrFull,
	tpm2.TPMRCIntegrity:     ErrAltered,
}

// explain names the step that failed, and says what to do where it is known.
func explain(step string, err error) error {
	if err == nil {
		return nil
	}
	for code, why := range codes {
		if errors.Is(err, code) {
			return fmt.Errorf("TPM: %s: %w (%w)", step, why, err)
		}
	}
	return fmt.Errorf("TPM: %s: %w", step, err)
}

// isOwnerAuth tells whether the owner hierarchy asked for a password.
func isOwnerAuth(err error) bool {
	return errors.Is(err, tpm2.TPMRCBadAuth) || errors.Is(err, tpm2.TPMRCAuthFail) || errors.Is(err, tpm2.TPMRCAuthUnavailable)
}

// Present tells whether there is anything at the device, usable or not: a TPM
// that may not be used is a thing to mend, not a reason for software keys.
func Present(name string) bool {
	d, err := parseDevice(name)
	if err != nil {
		return true // New says what is wrong with it
	}
	path := string(d)
	if socket, ok := d.socket(); ok {
		path = socket
	}
	_, err = os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
