package node

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/territory"
)

// What a structure's name and address may hold, in octets: they stand on papers.
const (
	maxStructureOctets = 120
	maxAddressOctets   = 200
	siretDigits        = 14
)

// PutStructure adds a structure to the roster, or changes the one with its
// identifier: open, suspend, close it, say which hubs serve it. It fails with
// Invalid on "name", "address", "siret" or "scopes", Conflict on "name" when
// another has it, NotFound for an identifier that is not listed, and as every
// edition does.
func (n *Node) PutStructure(ctx context.Context, by *Actor, code string, s territory.Structure, when ...Condition) (territory.Structure, error) {
	s, err := parseStructure(s)
	if err != nil {
		return s, err
	}
	public := map[string]any{"state": string(s.State)}
	err = n.issue(ctx, by, code, edition{
		kind: journal.KindStructurePut, public: public, when: when,
		edit: func(_ *store.Tx, r *territory.Roster, _ *territory.Root) (err error) {
			if s, err = r.PutStructure(s); err != nil {
				return structureFault(err)
			}
			public["structure"] = s.ID.String()
			return nil
		},
	})
	return s, err
}

func structureFault(err error) error {
	if errors.Is(err, territory.ErrNotListed) {
		return fault.New(fault.NotFound, "Cette structure n’est pas dans le registre du territoire.", err)
	}
	return fault.New(fault.Conflict, "Une structure porte déjà ce nom dans le territoire. Choisissez-en un autre.", err).On("name")
}

// parseStructure gives what was written its one form, and says what cannot be
// printed on a mandate.
func parseStructure(s territory.Structure) (territory.Structure, error) {
	s.Name, s.Address = strings.Join(strings.Fields(s.Name), " "), strings.Join(strings.Fields(s.Address), " ")
	s.SIRET = strings.Join(strings.Fields(s.SIRET), "")
	switch {
	case s.Name == "":
		return s, fault.Errorf(fault.Invalid, "Écrivez le nom de la structure, comme il sera imprimé sur les mandats.", "no name").On("name")
	case !printable(s.Name, maxStructureOctets):
		return s, fault.Errorf(fault.Invalid, "Ce nom est trop long, ou contient un caractère qui ne s’imprime pas.", "name of %d octets", len(s.Name)).On("name")
	case !printable(s.Address, maxAddressOctets):
		return s, fault.Errorf(fault.Invalid, "Cette adresse est trop longue, ou contient un caractère qui ne s’imprime pas.", "address of %d octets", len(s.Address)).On("address")
	case s.SIRET != "" && (len(s.SIRET) != siretDigits || strings.Trim(s.SIRET, "0123456789") != ""):
		return s, fault.Errorf(fault.Invalid, "Un SIRET a 14\u00a0chiffres. Vérifiez-le, ou laissez ce champ vide.", "SIRET of %d octets", len(s.SIRET)).On("siret")
	}
	for _, scope := range s.Scopes {
		if !mandate.Scope(scope).Valid() {
			return s, fault.Errorf(fault.Invalid, "Choisissez les démarches dans la liste.", "scope of %d octets is none of ours", len(scope)).On("scopes")
		}
	}
	return s, nil
}

func printable(text string, most int) bool {
	return len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
