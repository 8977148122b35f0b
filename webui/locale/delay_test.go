package locale_test

import (
	"testing"
	"time"

	"relais/webui/locale"
)

func TestDelay(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0,1\u00a0s", 180 * time.Millisecond: "0,2\u00a0s", 1949 * time.Millisecond: "1,9\u00a0s", 59 * time.Second: "59,0\u00a0s",
		3 * time.Minute: "3 min",
	} {
		if got := locale.Delay(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
