package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/google/go-tpm/tpm2"
)

// What may be wrong with a TPM, and what to do about it.
var (
	ErrNoDevice   = errors.New("there is no TPM here: enable it in the firmware (PTT, fTPM), or check [keys] device")
	ErrPermission = errors.New("this user may not use the TPM: add it to the group tss, or start the hub by its systemd unit")
	ErrBusy       = errors.New("another program holds the TPM: stop it, or use " + DefaultDevice + ", which several may share")
	ErrCleared    = errors.New("the TPM was cleared (firmware menu, firmware update, or reinstallation): what it sealed is gone; open the hub with its recovery code, and make it a new one")
	ErrReplaced   = errors.New("this is another TPM than the one this hub was made with (board changed, disk moved, or something stands between): put the disk back in its machine, or open the hub with its recovery code")
	ErrOwnerAuth  = errors.New("the TPM's owner hierarchy has a password: have it removed (tpm2_changeauth -c owner), or a storage root key provisioned at 0x81000001")
	ErrLockout    = errors.New("the TPM is in dictionary-attack lockout, set off by another program: wait for it to recover, or reset it (tpm2_dictionarylockout -c)")
	ErrAltered    = errors.New("the TPM refuses this blob: the keyring was altered, or is another machine's")
	ErrNotStarted = errors.New("the TPM was not started: a software TPM needs --flags startup-clear")
	ErrClosed     = errors.New("the TPM was closed")
	ErrFull       = errors.New("the TPM has no room for another key or session: another program leaves its own loaded")
	// ErrStorageFull means that no counter can be made. The hub serves without one.
	ErrStorageFull = errors.New("the TPM's own storage is full: remove what nobody needs from it (tpm2_getcap handles-nv-index, tpm2_nvundefine)")
)

// Reasons names the errors above, and ErrRawDevice, for whoever carries them to
// another process: what they mean must not be lost on the way. A name once given
// stays.
func Reasons() map[string]error {
	return map[string]error{
		"no-device": ErrNoDevice, "permission": ErrPermission, "busy": ErrBusy, "raw-device": ErrRawDevice,
		"cleared": ErrCleared, "replaced": ErrReplaced, "altered": ErrAltered,
		"owner-auth": ErrOwnerAuth, "lockout": ErrLockout,
		"not-started": ErrNotStarted, "full": ErrFull, "storage-full": ErrStorageFull, "closed": ErrClosed,
	}
}

// explainOpen says what to do about a device that does not open.
func explainOpen(d device, err error) error {
	why := errTransport
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
var codes = map[tpm2.TPMRC]error{
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
