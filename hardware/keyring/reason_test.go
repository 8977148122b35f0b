package keyring_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/node/fault"
)

// What a Reason says reaches the page; an error without one has words too.
func TestLockedSaysWhy(t *testing.T) {
	why := fmt.Errorf("slot 0 (tpm): %w", keyring.ErrForeign)
	err := keyring.Locked(why)
	if !errors.Is(err, keyring.ErrLocked) || !errors.Is(err, keyring.ErrForeign) || !fault.Is(err, fault.Locked) || keyring.Why(err) != keyring.ErrForeign {
		t.Errorf("Locked = %v", err)
	}
	message := fault.Of(err).Message
	for _, want := range []string{keyring.ErrForeign.Message, keyring.ErrForeign.Remedy, "Les données sont intactes."} {
		if !strings.Contains(message, want) {
			t.Errorf("the page says %q, without %q", message, want)
		}
	}
	if strings.Contains(message, "slot 0") {
		t.Errorf("the page says %q, in English", message)
	}
	other := keyring.Why(errors.New("unheard of"))
	if other == nil || other == keyring.ErrForeign || other.Message == "" || !strings.Contains(other.Remedy, "relais recover") {
		t.Errorf("an error without a reason: %+v", other)
	}
}

// Of several slots that do not open, the first that says why is heard.
func TestWhyOfSeveral(t *testing.T) {
	err := errors.Join(errors.New("slot 0: unheard of"), fmt.Errorf("slot 1: %w", keyring.ErrTorn))
	if got := keyring.Why(err); got != keyring.ErrTorn {
		t.Errorf("Why = %v", got)
	}
}
