package tpm_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"relais/hardware/tpm"
)

// What a TPM answers in numbers, a person reads with the remedy.
func TestCodesAreExplained(t *testing.T) {
	for name, c := range map[string]struct {
		rc     uint32
		want   error
		remedy string
	}{
		"ErrLockout":           {0x921, tpm.ErrLockout, "tpm2_dictionarylockout"},
		"ErrNotStarted":        {0x100, tpm.ErrNotStarted, "startup-clear"},
		"ErrFull objects":      {0x902, tpm.ErrFull, "another program"},
		"ErrFull sessions":     {0x903, tpm.ErrFull, "another program"},
		"ErrAltered integrity": {0x1DF, tpm.ErrAltered, "another machine's"},
	} {
		t.Run(name, func(t *testing.T) {
			bus := newTap(t, nil, func([]byte) ([]byte, bool) { return rcReply(c.rc), true })
			_, err := tpm.NewImpatient(t, bus.device(), time.Second).Wrap(kek)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.remedy) {
				t.Errorf("Wrap = %v, want %v with %q", err, c.want, c.remedy)
			}
		})
	}
}

func TestOpenErrorsAreExplained(t *testing.T) {
	for name, c := range map[string]struct {
		errno  syscall.Errno
		want   error
		remedy string
	}{
		"ErrPermission":      {syscall.EACCES, tpm.ErrPermission, "group tss"},
		"ErrNoDevice":        {syscall.ENOENT, tpm.ErrNoDevice, "firmware"},
		"ErrNoDevice driver": {syscall.ENODEV, tpm.ErrNoDevice, "firmware"},
		"ErrBusy":            {syscall.EBUSY, tpm.ErrBusy, "another program"},
		"ErrOther":           {syscall.EIO, syscall.EIO, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tpm.ExplainOpen(&os.PathError{Op: "open", Path: tpm.DefaultDevice, Err: c.errno})
			if !errors.Is(err, c.want) || !errors.Is(err, c.errno) || !strings.Contains(err.Error(), c.remedy) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.remedy)
			}
		})
	}
}

// Every sentinel error has a name, and no two the same error: one that is
// forgotten would lose its meaning behind the seal agent.
func TestReasonsAreComplete(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						declared++
					}
				}
			}
		}
	}
	distinct := map[error]bool{}
	for _, err := range tpm.Reasons() {
		distinct[err] = true
	}
	if len(distinct) != declared || len(tpm.Reasons()) != declared {
		t.Errorf("%d sentinel errors, %d names for %d of them", declared, len(tpm.Reasons()), len(distinct))
	}
}
