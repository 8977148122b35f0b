package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	shotsFolder   = "../../var/shots"
	actionTimeout = 30 * time.Second
)

// shots has TestBrowser leave what it saw in var/shots.
var shots = flag.Bool("shots", false, "leave pictures in var/shots")

// TestBrowser plays the main job in a real browser: three hubs, each a process
// with its own TLS and database, through the pages that people use.
func TestBrowser(t *testing.T) {
	t.Parallel()
	if *shots {
		if err := os.MkdirAll(shotsFolder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := openStage(t)
	b := openBrowser(t, s)
	valbrume, port, bus := b.tab(t, s.valbrume), b.tab(t, s.port), b.tab(t, s.bus)

	valbrume.signIn()
	mandate, code := valbrume.createMandate(twoLines, true)
	valbrume.open("/bureau/mandats/" + mandate)
	valbrume.state("active")
	valbrume.shot("mandat")
	valbrume.act(mandate)
	valbrume.open("/bureau")
	valbrume.shot("bureau")

	port.signIn()
	port.becomes(mandate, "active")
	port.lacks("ESSAI")
	bus.signIn()
	bus.becomes(mandate, "awaiting_paper") // the paper was signed at Valbrume: this hub has not seen it
	bus.has("ESSAI")

	kiosk := b.kiosk(t, s.port)
	kiosk.shot("borne")
	kiosk.stop(code)
	for _, desk := range []*tab{valbrume, bus, port} {
		desk.becomes(mandate, "stopped")
		desk.has("Port-Exemple")
	}
	valbrume.shot("arrete")
	valbrume.view("arrete-ecran")
	valbrume.refusesAct(mandate)

	s.line.Cut()
	offline, _ := bus.createMandate(oneLine, false)
	bus.act(offline)
	bus.open("/bureau/territoire")
	bus.shot("coupe")
	s.line.Restore()
	port.becomes(offline, "active")
	valbrume.becomes(offline, "awaiting_paper")
	valbrume.has("MODELE")
	valbrume.open("/bureau/territoire")
	valbrume.shot("territoire")

	departement(t, s, b)

	// All of it happened, and none of it can be read from the disks.
	for _, plain := range []string{
		"Camille", "ESSAI", "Sacha", "EXEMPLE", "impots.gouv.fr", "1950-03-14", "14/03/1950", "ressources du trimestre",
		code, strings.ReplaceAll(code, "-", ""), s.valbrume.account.Passphrase, s.valbrume.codes.secret,
	} {
		for _, h := range s.hubs() {
			for _, file := range filesWith(t, plain, h.config.Hub.DataDir, h.log()) {
				t.Errorf("%s: %s can be read in %s", h.name, plain, file)
			}
		}
	}
	if len(filesWith(t, "valbrume.localhost", s.valbrume.folder)) == 0 {
		t.Error("the search finds nothing, not even what is there")
	}
}

// filesWith returns the files below the paths that hold the text.
func filesWith(t *testing.T, text string, paths ...string) (files []string) {
	t.Helper()
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) { // a temporary file, gone since
				return nil
			}
			if bytes.Contains(content, []byte(text)) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// openStage sets the stage with the commands as lightPrograms has them.
func openStage(t *testing.T) *stage {
	t.Helper()
	p := lightPrograms(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s, err := setStage(ctx, t.TempDir(), p, newTimeline(io.Discard))
	t.Cleanup(func() {
		if s != nil {
			if err := s.strike(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A browser is a headless Chromium that accepts the certificates of the stage's
// hubs and no other that it does not know.
type browser struct{ ctx context.Context }

func openBrowser(t *testing.T, s *stage) *browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins(t, s), ",")),
	}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewContext(allocated)
	t.Cleanup(cancelBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &browser{ctx}
}

// pins are the SHA-256 of the keys that the hubs serve, each checked first
// against the hub's own authority, as an IT service that deployed it would.
func pins(t *testing.T, s *stage) (pins []string) {
	t.Helper()
	for _, h := range s.hubs() {
		authority, err := h.authority()
		if err != nil {
			t.Fatal(err)
		}
		names := h.config.Web.Names
		if h.config.Web.KioskName != "" {
			names = append(names, h.config.Web.KioskName)
		}
		for _, name := range names {
			conn, err := tls.Dial("tcp", h.config.Web.Listen, &tls.Config{RootCAs: authority, ServerName: name})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			key := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
			pins = append(pins, base64.StdEncoding.EncodeToString(key[:]))
			conn.Close()
		}
	}
	return pins
}

func (b *tab) totp() string {
	b.t.Helper()
	code, err := b.hub.codes.code(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

func (b *tab) signIn() {
	b.t.Helper()
	b.open("/connexion")
	b.do(typed("login", b.hub.account.Login), typed("passphrase", b.hub.account.Passphrase), typed("code", b.totp()))
	b.press("main form button")
	b.do(shown("nav.menu"))
}

// next is the button that goes on.
const next = "main form .actions button:first-of-type"

// createMandate goes through the four steps, the recap and the paper, and takes
// pictures on the way when told to.
func (b *tab) createMandate(m mandatePlan, pictures bool) (mandate, stopCode string) {
	b.t.Helper()
	picture := func(name string) {
		b.t.Helper()
		if pictures {
			b.shot(name)
		}
	}
	b.open("/bureau/accompagnements/nouveau")
	picture("nouveau")
	b.do(chosen("posture", "fais"))
	b.press(next)
	b.press(`a[href$="/mandat/personne"]`)
	b.do(typed("given", m.given), typed("family", m.family), typed("birth_date", "14/03/1950"), typed("birth_place", "Valbrume"),
		chosen("evidence", "document"), chosen("adult", "oui"), chosen("protected", "non"), chosen("willing", "oui"))
	picture("personne")
	b.press(next)
	for i, l := range m.lines {
		if i > 0 {
			b.press(`button[value="ajouter"]`)
		}
		field := fmt.Sprintf("line_%d_", i+1)
		b.do(picked(field+"scope", l.scope), typed(field+"service", l.service), typed(field+"acts", l.acts))
	}
	picture("services")
	b.press(`.actions button[value="continuer"]`)
	b.do(chosen("term", m.term))
	b.press(next)
	picture("relire")
	b.do(typed("code", b.totp()))
	b.press(`form[action$="/mandat/relire"] button`)
	for part := range strings.SplitSeq(see(b, chromedp.Location()), "/") {
		if strings.HasPrefix(part, "m_") {
			mandate = part
		}
	}
	b.open("/bureau/mandats/" + mandate + "/papier")
	stopCode = see(b, chromedp.AttributeValue(chromedp.CSS("[data-stop-code]"), "data-stop-code")).Value
	picture("papier")
	if pictures {
		b.checkPaper(stopCode)
	}
	b.do(chosen("signed", "oui"), chosen("handed", "oui"))
	b.press("form.confirm button")
	return mandate, stopCode
}

// checkPaper prints the copies and reads them back: the code in letters, and
// the same code in the square.
func (b *tab) checkPaper(stopCode string) {
	b.t.Helper()
	pdf := see(b, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	file := filepath.Join(b.t.TempDir(), "papier.pdf")
	if err := os.WriteFile(file, pdf, 0o644); err != nil {
		b.t.Fatal(err)
	}
	text := b.runs("pdftotext", "-layout", file, "-")
	if n := strings.Count(text, stopCode); n != 1 {
		b.t.Errorf("the printed copies show the stop code %d times, want once, on hers:\n%s", n, text)
	}
	b.runs("pdftoppm", "-r", "150", "-png", file, strings.TrimSuffix(file, ".pdf"))
	pages, err := filepath.Glob(strings.TrimSuffix(file, ".pdf") + "-*.png")
	if err != nil || len(pages) == 0 {
		b.t.Fatalf("no printed page: %v", err)
	}
	read := ""
	for _, p := range pages {
		out, err := exec.Command("zbarimg", "--quiet", "--raw", p).Output()
		if e, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || e.ExitCode() != 4) { // 4: no symbol on this page
			b.t.Fatal(err)
		}
		read += string(out)
	}
	plain := strings.ReplaceAll(stopCode, "-", "")
	if !strings.Contains(strings.ReplaceAll(read, "-", ""), plain) {
		b.t.Errorf("the square on her copy reads %q, not her code", read)
	}
}

// fillAct opens the form of an act and fills it.
func (b *tab) fillAct(mandate string) {
	b.t.Helper()
	b.open("/bureau/mandats/" + mandate + "/demarche")
	b.do(chosen("line", "1"), chosen("channel", "online"), chosen("present", "oui"))
}

func (b *tab) act(mandate string) {
	b.t.Helper()
	b.fillAct(mandate)
	b.press(next)
	b.open("/bureau/mandats/" + mandate)
	b.lacks("Aucune pour l’instant")
}

// refusesAct checks that no act can be noted, and that the page says why.
func (b *tab) refusesAct(mandate string) {
	b.t.Helper()
	b.open("/bureau/mandats/" + mandate + "/demarche")
	b.has("Port-Exemple")
	b.has("Proposer un nouveau mandat")
	b.lacks("Enregistrer la démarche")
	b.shot("refus")
}

// stop types the code at the kiosk and takes the receipt.
func (b *tab) stop(code string) {
	b.t.Helper()
	b.open("/kiosque/arreter")
	b.do(typed("code", code))
	b.shot("borne-code")
	b.press("main form button.danger")
	b.do(shown("#recu-numero"))
	b.shot("recu")
}
