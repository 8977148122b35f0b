package mandate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// dossierVersion is the format below. A change of it, however small, is a new
// number.
const dossierVersion = 1

// maxDossierOctets bounds a dossier before it is read.
const maxDossierOctets = 512 << 10

// DossierSaltSize is the number of random octets in a dossier, so that its digest
// in the notice says nothing to who has no dossier.
const DossierSaltSize = 16

// Dossier is the meaning of a mandate: who, what for, in which words. It is made
// at the grant, immutable, and travels sealed to the hubs that serve the
// structure. The person's identifier is not in it: each hub gives her its own.
type Dossier struct {
	Salt      [DossierSaltSize]byte
	Territory territory.Code
	Hub       territory.HubID // where it was drawn up
	Mandate   Mandate         // without Paper, EndedAt and the person's identifier
	Wording   string          // the text presented and printed; Mandate.Text binds it
}

// ErrDossier means that octets are not a dossier in its one encoding, or that
// what it says does not hold together.
var ErrDossier = errors.New("not a dossier")

// The wire form: JSON with members in this order, no white space, no HTML
// escapes, times in Unix milliseconds. It is read by decoding, encoding again and
// comparing, so exactly one spelling of each dossier is accepted.
type (
	wireDossier struct {
		Version      int                   `json:"relais_dossier"`
		Salt         string                `json:"salt"` // base64
		Territory    territory.Code        `json:"territory"`
		Hub          territory.HubID       `json:"hub"`
		Mandate      ID                    `json:"mandate"`
		Regime       record.MandateKind    `json:"regime"`
		Structure    territory.StructureID `json:"structure"`
		Helper       people.HelperID       `json:"helper"`
		HelperName   string                `json:"helper_name"`
		Person       wirePerson            `json:"person"`
		Declarations wireDeclarations      `json:"declarations"`
		Evidence     Evidence              `json:"evidence"`
		Lines        []wireLine            `json:"lines"`
		Term         Term                  `json:"term"`
		Start        int64                 `json:"start"`
		End          int64                 `json:"end"`
		Wording      string                `json:"wording"`
	}
	wirePerson struct {
		Given      string `json:"given"`
		Family     string `json:"family"`
		BirthDate  string `json:"birth_date"`
		BirthPlace string `json:"birth_place"`
		Contact    string `json:"contact"`
	}
	wireDeclarations struct {
		Adult       bool `json:"adult"`
		Unprotected bool `json:"unprotected"`
		Willing     bool `json:"willing"`
	}
	wireLine struct {
		Scope   Scope    `json:"scope"`
		Service string   `json:"service"`
		Acts    []string `json:"acts"`
	}
)

// Encode returns the one encoding of d. It fails with ErrDossier when d does not
// hold together.
func (d Dossier) Encode() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d.wire()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDossier, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// DecodeDossier reads what Encode wrote and nothing else: every error wraps
// ErrDossier and carries nothing of the content.
func DecodeDossier(text []byte) (Dossier, error) {
	if len(text) > maxDossierOctets {
		return Dossier{}, fmt.Errorf("%w: %d octets, at most %d", ErrDossier, len(text), maxDossierOctets)
	}
	var w wireDossier
	if err := json.Unmarshal(text, &w); err != nil {
		return Dossier{}, fmt.Errorf("%w: it is not the JSON of one", ErrDossier)
	}
	if w.Version != dossierVersion {
		return Dossier{}, fmt.Errorf("%w: version %d, this program reads %d", ErrDossier, w.Version, dossierVersion)
	}
	d, err := w.dossier()
	if err != nil {
		return Dossier{}, err
	}
	again, err := d.Encode()
	if err != nil {
		return Dossier{}, err
	}
	if !bytes.Equal(again, text) {
		return Dossier{}, fmt.Errorf("%w: not in its one encoding", ErrDossier)
	}
	return d, nil
}

func (d Dossier) wire() wireDossier {
	m := d.Mandate
	w := wireDossier{
		Version: dossierVersion, Salt: base64.StdEncoding.EncodeToString(d.Salt[:]),
		Territory: d.Territory, Hub: d.Hub, Mandate: m.ID, Regime: m.Regime,
		Structure: m.Structure, Helper: m.Helper, HelperName: m.HelperName,
		Person: wirePerson{
			m.Beneficiary.Name.Given, m.Beneficiary.Name.Family,
			m.Beneficiary.BirthDate, m.Beneficiary.BirthPlace, m.Beneficiary.Contact,
		},
		Declarations: wireDeclarations(m.Declarations), Evidence: m.Evidence,
		Term: m.Term, Start: m.Start.UnixMilli(), End: m.End.UnixMilli(), Wording: d.Wording,
	}
	for _, l := range m.Lines {
		w.Lines = append(w.Lines, wireLine{l.Scope, l.Service, l.Acts})
	}
	return w
}

func (w wireDossier) dossier() (Dossier, error) {
	salt, err := base64.StdEncoding.DecodeString(w.Salt)
	if err != nil || len(salt) != DossierSaltSize {
		return Dossier{}, fmt.Errorf("%w: its salt is not %d octets", ErrDossier, DossierSaltSize)
	}
	d := Dossier{
		Salt: [DossierSaltSize]byte(salt), Territory: w.Territory, Hub: w.Hub, Wording: w.Wording,
		Mandate: Mandate{
			ID: w.Mandate, Regime: w.Regime, Structure: w.Structure,
			Helper: w.Helper, HelperName: w.HelperName,
			Beneficiary: people.Beneficiary{
				Name:      people.Name{Given: w.Person.Given, Family: w.Person.Family},
				BirthDate: w.Person.BirthDate, BirthPlace: w.Person.BirthPlace, Contact: w.Person.Contact,
			},
			Declarations: Declarations(w.Declarations), Evidence: w.Evidence, Term: w.Term,
			Start: time.UnixMilli(w.Start).UTC(), End: time.UnixMilli(w.End).UTC(),
			Text: TextHash(w.Wording),
		},
	}
	for i, l := range w.Lines {
		d.Mandate.Lines = append(d.Mandate.Lines, Line{uint8(min(i+1, 255)), l.Scope, l.Service, l.Acts})
	}
	return d, nil
}
