package node

import (
	"context"
	"strconv"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// Usable answers whether the actor may use a line now. What it needs of the
// database is one statement; what it needs of the roster is in memory.
func (n *Node) Usable(ctx context.Context, by Actor, id mandate.ID, line uint8) (mandate.Verdict, error) {
	if err := by.may(people.VerbSeeMandates); err != nil {
		return mandate.Verdict{}, err
	}
	var row store.FactsRow
	err := n.db.ReadOne(ctx, func(r *store.Reader) (err error) {
		row, err = r.Facts(id, by.Helper)
		return err
	})
	if err != nil {
		return mandate.Verdict{}, err
	}
	verdict := mandate.Usable(n.withRoster(row), line, n.now())
	if verdict.Why != mandate.WhyStopped {
		return verdict, nil
	}
	// Stopped: say when and where, which the happy path has no use for.
	var facts mandate.Facts
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { facts, err = n.facts(r, by.Helper, id); return err })
	return mandate.Usable(facts, line, n.now()), err
}

// facts gathers all that is known of a mandate for a helper, its stops included.
func (n *Node) facts(r *store.Reader, helper people.HelperID, id mandate.ID) (mandate.Facts, error) {
	row, err := r.Facts(id, helper)
	if err != nil {
		return mandate.Facts{}, err
	}
	facts := n.withRoster(row)
	if facts.StoppedAll || facts.Stopped != 0 {
		facts.Stops, err = n.stops(r, id)
	}
	return facts, err
}

// withRoster adds what the roster says of the structure.
func (n *Node) withRoster(row store.FactsRow) mandate.Facts {
	facts := row.Facts
	facts.Undated = !row.Undated.IsZero() && n.clockWrong(row.Undated, n.now())
	roster := n.Roster()
	if roster == nil {
		return facts
	}
	s, found := roster.Structure(row.Structure)
	facts.Open = found && s.State == territory.StructureOpen
	for i, number := range row.Scopes {
		if found && s.Allows(string(mandate.ScopeNumbered(number))) {
			facts.OpenLines |= mandate.Bits(uint8(i + 1))
		}
	}
	return facts
}

// refusal is the fault that tells a helper why a line may not be used, what goes on
// elsewhere, and what to do.
func (n *Node) refusal(tx *store.Tx, row store.MandateRow, v mandate.Verdict, f mandate.Facts, line uint8) (refusal, err error) {
	still, err := n.stillActive(tx.Reader, row.ID)
	if err != nil {
		return nil, err
	}
	text := n.refusalText(v, f, line, tx.Now, stillSentence(still))
	if v.Why == mandate.WhyPaper && row.Regime == record.AidantsConnect {
		text = "La première démarche attend le papier d’arrêt\u00a0: imprimez-le, remettez-le à la personne, puis confirmez-le ici."
	}
	return fault.Errorf(fault.Forbidden, text, "line %d may not be used: %s", line, v.Why), nil
}

func (n *Node) refusalText(v mandate.Verdict, f mandate.Facts, line uint8, now time.Time, still string) string {
	zone := n.zone()
	switch v.Why {
	case mandate.WhyStopped:
		return n.stoppedText(v, f, line, now) + still + askAgain
	case mandate.WhyDone:
		return "Ce mandat est terminé\u00a0: les démarches ont été faites" + onMoment(v.At, now, zone) + ". " + still + askAgain
	case mandate.WhyExpired:
		return "Ce mandat a expiré " + people.When(v.At, now, zone) + ". Vous ne pouvez plus l’utiliser. " + askAgain
	case mandate.WhyNotStarted:
		return "Ce mandat commence " + people.When(v.At, now, zone) + ". Vérifiez l’heure du relais."
	case mandate.WhyNoSuchLine:
		return "Cette ligne n’est pas dans le mandat. Faites seulement ce qui y est écrit."
	case mandate.WhyStructure:
		return "Votre structure n’est pas autorisée aujourd’hui par le territoire pour cette démarche. Voyez avec votre référent."
	case mandate.WhyHelper:
		return "Votre compte ne permet pas d’utiliser ce mandat. Adressez-vous au référent de votre structure."
	case mandate.WhyPaper:
		return "La première démarche attend la signature\u00a0: imprimez le mandat, faites signer les deux exemplaires, remettez-en un à la personne, puis confirmez-le ici."
	case mandate.WhyClock:
		return "L’horloge du relais qui a créé ce mandat n’est pas à l’heure\u00a0: il ne peut pas encore servir ici. Il servira dès qu’elle sera remise à l’heure\u00a0; prévenez le service informatique."
	case mandate.WhyConflict, mandate.WhyQuarantined:
		return "Ce mandat ne peut pas être utilisé\u00a0: les relais du territoire ont reçu des informations qui se contredisent. Prévenez le service informatique. " + askAgain
	}
	return "Ce relais ne connaît pas ce mandat."
}

// askAgain is what may be done when a mandate is over.
const askAgain = "Si la personne est là, proposez un nouveau mandat."

// stoppedText says what was stopped, when and where: "Ce mandat a été arrêté
// aujourd’hui à 17:58 à la borne de Port-Exemple."
func (n *Node) stoppedText(v mandate.Verdict, f mandate.Facts, line uint8, now time.Time) string {
	what, again := "Ce mandat a été arrêté", "Vous ne pouvez plus l’utiliser. "
	if !f.StoppedAll && f.Stopped != mandate.AllLines(f.Lines) {
		what = "La ligne " + strconv.Itoa(int(line)) + " de ce mandat a été arrêtée"
		again = "Vous ne pouvez plus l’utiliser\u00a0; les autres lignes restent valables. "
	}
	if v.Stop == nil {
		return what + ". " + again
	}
	return what + onMoment(v.Stop.Moment(), now, n.zone()) + n.placeOf(*v.Stop) + ". " + again
}

func onMoment(t, now time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return " " + people.When(t, now, zone)
}

// placeOf says where a stop was made.
func (n *Node) placeOf(s mandate.Stop) string {
	switch s.Channel {
	case record.ChannelKiosk:
		return " à la borne de " + n.hubName(s.Where)
	case record.ChannelNational:
		return " par le service national"
	case record.ChannelSystem:
		return " avec tous ceux de la structure"
	}
	return " au relais de " + n.hubName(s.Where)
}
