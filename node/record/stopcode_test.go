package record_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"relais/node/record"
)

const printed = "7K3M-9QXD-4T2P-HW8V-5"

func TestStopCodeAsTyped(t *testing.T) {
	code := record.StopCode{0x3c, 0xe7, 0x44, 0x5f, 0xad, 0x26, 0x85, 0x68, 0xf1, 0x1b}
	shown := code.String()
	if len(shown) != 21 || strings.Count(shown, "-") != 4 {
		t.Fatalf("printed %s", shown)
	}
	for name, typed := range map[string]string{
		"as printed":       shown,
		"lower case":       strings.ToLower(shown),
		"without hyphens":  strings.ReplaceAll(shown, "-", ""),
		"spaces":           strings.ReplaceAll(shown, "-", "   "),
		"long hyphens":     strings.ReplaceAll(shown, "-", "–"),
		"narrow spaces":    "  " + strings.ReplaceAll(shown, "-", "\u202f"),
		"O for 0, I for 1": strings.NewReplacer("0", "o", "1", "i").Replace(shown),
		"L for 1":          strings.ReplaceAll(shown, "1", "l"),
	} {
		if got, err := record.ParseStopCode(typed); err != nil || got != code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrCodeForm(t *testing.T) {
	for _, typed := range []string{"", "-", printed[:20], printed + "7", strings.Repeat("7", 17) + "é", "7K3M-9QXU-4T2P-HW8V-5", strings.Repeat(" ", 65)} {
		if _, err := record.ParseStopCode(typed); !errors.Is(err, record.ErrCodeForm) {
			t.Errorf("%q: got %v", typed, err)
		}
	}
}

// One wrong symbol, or two neighbours swapped, is told from a code nobody has.
func TestErrCodeCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := record.StopCode(rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "code"))
		symbols := []byte(strings.ReplaceAll(code.String(), "-", ""))
		i := rapid.IntRange(0, 14).Draw(t, "place")
		if rapid.Bool().Draw(t, "swap") {
			symbols[i], symbols[i+1] = symbols[i+1], symbols[i]
		} else {
			symbols[i] = rapid.SampledFrom([]byte("0123456789ABCDEFGHJKMNPQRSTVWXYZ")).Draw(t, "symbol")
		}
		altered := string(symbols)
		got, err := record.ParseStopCode(altered)
		if altered == strings.ReplaceAll(code.String(), "-", "") {
			if err != nil || got != code {
				t.Fatal(err)
			}
		} else if !errors.Is(err, record.ErrCodeCheck) {
			t.Fatalf("%s: got %v", altered, err)
		}
	})
}

func TestCommitment(t *testing.T) {
	code := record.NewStopCode()
	if code == record.NewStopCode() {
		t.Fatal("two codes are equal")
	}
	if code.Commitment(demo) == code.Commitment("other") {
		t.Error("a commitment means the same in two territories")
	}
	again := code
	if again.Commitment(demo) != code.Commitment(demo) {
		t.Error("a commitment varies")
	}
}

func TestStopCodeStaysOutOfLogs(t *testing.T) {
	code := record.NewStopCode()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("stop", "code", code)
	if strings.Contains(out.String(), code.String()[:4]) {
		t.Errorf("logged: %s", out.String())
	}
}

func FuzzParseStopCode(f *testing.F) {
	f.Add(printed)
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := record.ParseStopCode(typed)
		if err != nil {
			if strings.Contains(err.Error(), typed) && len(typed) > 3 {
				t.Errorf("the error repeats what was typed: %v", err)
			}
			return
		}
		if again, err := record.ParseStopCode(code.String()); err != nil || again != code {
			t.Errorf("%q reads as %s, which does not read back: %v", typed, code, err)
		}
	})
}
