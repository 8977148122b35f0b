package node

import (
	"context"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/record"
	"relais/node/territory"
)

// Recap is what the helper reads aloud and approves.
type Recap struct {
	Draft     Draft
	Structure string
	Helper    string
	// Articles are the text to read: what Hash covers.
	Articles []mandate.Article
	// Until is the end if it were granted now; the grant's own instant decides.
	Until time.Time
	// Hash covers the text of the recap without Until: SHA-256.
	Hash [32]byte
}

// Recap checks that the draft is complete and may become a mandate. The fault
// names the field of the first thing missing: person, declarations, evidence,
// lines, term. Forbidden on "lines" when the structure is not open for a scope.
func (n *Node) Recap(ctx context.Context, by Actor, id mediation.AccompanimentID) (Recap, error) {
	var recap Recap
	err := n.db.Read(ctx, func(r *store.Reader) error {
		if err := n.mayDraft(r, by, id); err != nil {
			return err
		}
		draft, err := n.readDraft(r, id)
		if err != nil {
			return err
		}
		p, err := n.presented(by, draft)
		if err != nil {
			return err
		}
		recap = Recap{
			Draft: draft, Structure: p.Structure.Name, Helper: p.HelperName, Articles: p.Articles(),
			Until: p.Term.End(n.now().UTC().Truncate(time.Millisecond)), Hash: p.RecapHash(),
		}
		return nil
	})
	return recap, err
}

// presented is what a complete draft says, once the structure is known to be
// open for all of it.
func (n *Node) presented(by Actor, d Draft) (mandate.Presented, error) {
	structure, err := n.structure(by.Structure)
	if err != nil {
		return mandate.Presented{}, err
	}
	p := mandate.Presented{
		Regime: record.Local, Structure: structure, HelperName: by.Name.Full(),
		Beneficiary: d.Person, Declarations: d.Declarations, Evidence: d.Evidence, Lines: d.Lines, Term: d.Term,
		Site: n.Name(), Zone: n.zone(),
	}
	if err := p.Ready(n.now().In(p.Zone)); err != nil {
		return mandate.Presented{}, err
	}
	for _, l := range d.Lines {
		if !structure.Allows(string(l.Scope)) {
			return mandate.Presented{}, fault.Errorf(fault.Forbidden,
				"Votre structure n’est pas autorisée par le territoire pour la démarche «\u00a0"+l.Scope.Text().Title+"\u00a0».",
				"structure %s is not open for %s", structure.ID, l.Scope).On("lines")
		}
	}
	return p, nil
}

// structure is the roster's entry of a structure that this hub serves.
func (n *Node) structure(id territory.StructureID) (territory.Structure, error) {
	roster := n.Roster()
	if roster == nil {
		return territory.Structure{}, fault.Errorf(fault.Unavailable,
			"Ce relais n’a pas encore reçu le registre du territoire. Prévenez le service informatique.", "no roster")
	}
	s, found := roster.Structure(id)
	if !found || !s.ServedBy(n.self) {
		return territory.Structure{}, fault.Errorf(fault.Forbidden,
			"Votre structure n’est pas inscrite à ce relais dans le registre du territoire.", "structure %s is not served here", id)
	}
	return s, nil
}
