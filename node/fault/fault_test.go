package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"relais/node/fault"
)

func TestOf(t *testing.T) {
	if fault.Of(nil) != nil {
		t.Error("nil is a fault")
	}
	deep := fmt.Errorf("revoke: %w", fault.New(fault.NotFound, "Introuvable.", fs.ErrNotExist))
	e := fault.Of(deep)
	if e.Code != fault.NotFound || e.Message != "Introuvable." {
		t.Errorf("%+v", e)
	}
	if !errors.Is(deep, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	other := fault.Of(errors.New("disk on fire at /var/lib/x"))
	if other.Code != fault.Internal || other.Message == "" || other.Message == other.Error() {
		t.Errorf("an error that is not a fault shows %q", other.Message)
	}
}

func TestIs(t *testing.T) {
	err := fmt.Errorf("stop: %w", fault.Errorf(fault.Limited, "Attendez.", "%d attempts", 4))
	for _, c := range []struct {
		err  error
		code fault.Code
		want bool
	}{
		{err, fault.Limited, true},
		{err, fault.Invalid, false},
		{nil, fault.Internal, false},
		{errors.New("x"), fault.Internal, true},
	} {
		if got := fault.Is(c.err, c.code); got != c.want {
			t.Errorf("Is(%v, %s) = %v", c.err, c.code, got)
		}
	}
}

// On and After return copies: a fault kept in a variable is never changed.
func TestCopies(t *testing.T) {
	base := fault.New(fault.Limited, "Attendez.", nil)
	if e := base.On("code").After(time.Minute); e.Field != "code" || e.Wait != time.Minute {
		t.Errorf("%+v", e)
	}
	if base.Field != "" || base.Wait != 0 {
		t.Errorf("the original changed: %+v", base)
	}
}

func TestErrorIsForTheLog(t *testing.T) {
	if got := fault.New(fault.Locked, "Fermé.", nil).Error(); got != "locked" {
		t.Errorf("without a cause: %q", got)
	}
	if got := fault.Errorf(fault.Invalid, "Non.", "line %d", 3).Error(); got != "line 3" {
		t.Errorf("with a cause: %q", got)
	}
}
