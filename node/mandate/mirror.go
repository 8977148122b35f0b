package mandate

import (
	"slices"
	"strconv"
	"time"

	"relais/node/fault"
	"relais/node/people"
)

// WorkingDaysToStop is how many working days the structure gives itself to stop
// in Aidants Connect what was stopped here. Nothing national says a number: three
// is time to be told, to find a colleague with access, and to do it.
const WorkingDaysToStop = 3

// MirrorTail is how long after its end here a mandate may still run in Aidants
// Connect: a mirror counts from the midnight before, and in days of 24 hours.
const MirrorTail = 26 * time.Hour

// Mirror is what is entered of a mandate that was made in Aidants Connect: what
// finds it again there, and how long it runs. Everything else stays on its paper.
type Mirror struct {
	Person people.Beneficiary // names and date of birth
	Made   string             // the day on the paper: the written form of a Date
	Term   Term
	Scopes []Scope
}

// Parse returns the one form of what was typed, complete or not: scopes once, in
// the order of the list. It fails with Invalid on the field. now and its zone say
// which day it is.
func (m Mirror) Parse(now time.Time) (Mirror, error) {
	person, err := people.Beneficiary{Name: m.Person.Name, BirthDate: m.Person.BirthDate}.Parse(now)
	if err != nil {
		return Mirror{}, err
	}
	parsed := Mirror{Person: person, Term: m.Term}
	if made := people.Tidy(m.Made); made != "" {
		d, err := people.ParseDate(made)
		if err != nil || d.Day == 0 {
			return Mirror{}, fault.New(fault.Invalid, "Écrivez la date du mandat ainsi\u00a0: 12/03/2026.", err).On("made")
		}
		parsed.Made = d.String()
	}
	for _, s := range Scopes() {
		if slices.Contains(m.Scopes, s) {
			parsed.Scopes = append(parsed.Scopes, s)
		}
	}
	return parsed, nil
}

// Ready says whether a mirror, once parsed, is complete and of a mandate that
// runs at the moment now, in the zone of now. It fails with Invalid on "given",
// "family", "birth_date", "made", "term" or "scopes".
func (m Mirror) Ready(now time.Time) error {
	if err := m.Person.Identified(now); err != nil {
		return err
	}
	switch start := m.Start(now.Location()); {
	case m.Made == "":
		return fault.Errorf(fault.Invalid, "Indiquez la date écrite sur le mandat.", "no date").On("made")
	case start.After(now):
		return fault.Errorf(fault.Invalid, "La date du mandat est dans le futur.", "made after today").On("made")
	case !m.Term.Valid():
		return fault.Errorf(fault.Invalid, "Choisissez la durée écrite sur le mandat.", "no term").On("term")
	case !now.Before(m.Term.End(start)):
		return fault.Errorf(fault.Invalid, "D’après cette date et cette durée, ce mandat est déjà fini\u00a0: il n’y a rien à inscrire.", "over already").On("made")
	case len(m.Scopes) == 0:
		return fault.Errorf(fault.Invalid, "Cochez les démarches écrites sur le mandat.", "no scope").On("scopes")
	}
	return nil
}

// Start is the midnight, in the zone, that begins the day the mandate was made.
// Its hour is not on the paper: counted from midnight, it ends here a little
// before it ends there, and never after.
func (m Mirror) Start(zone *time.Location) time.Time {
	d, err := people.ParseDate(m.Made)
	if err != nil {
		return time.Time{}
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, zone).UTC()
}

// Lines are a line a scope. They name no service: the paper does.
func (m Mirror) Lines() []Line {
	lines := make([]Line, len(m.Scopes))
	for i, s := range m.Scopes {
		lines[i] = Line{Number: uint8(i + 1), Scope: s, Service: s.Text().Short, Acts: []string{"ce que dit le mandat fait dans Aidants Connect"}}
	}
	return lines
}

// mirrorArticles are the text of a mirror. It must not pass for the mandate: that
// one is the paper which was signed.
func (p Presented) mirrorArticles() []Article {
	says := Article{Title: "Ce que dit ce mandat"}
	for _, l := range p.Lines {
		says.Paragraphs = append(says.Paragraphs, "– Ligne "+strconv.Itoa(int(l.Number))+", "+l.Scope.Text().Title+".")
	}
	days := strconv.Itoa(WorkingDaysToStop)
	return []Article{
		{"Inscription d’un mandat fait dans Aidants Connect", []string{
			"Le mandat est le papier signé et ce qui est écrit dans Aidants Connect. Cette inscription ne le remplace pas et n’y change rien" + nbsp +
				": elle permet de l’arrêter dans les relais du territoire.",
		}},
		{"Entre", []string{
			"La personne accompagnée (mandant)" + nbsp + ": " + p.Beneficiary.Name.Full() + ", date de naissance" + nbsp + ": " + p.Beneficiary.Born() + ".",
			"La structure (mandataire)" + nbsp + ": " + p.Structure.Name + ".",
			"Inscrit par " + p.HelperName + ", au relais de " + p.Site + ", devant le papier signé.",
		}},
		says,
		{"Durée", []string{
			"Le mandat est donné " + p.Term.Label() + ". Il a été fait le " + people.Day(p.Start, p.Zone) +
				". Les relais le tiennent pour fini le " + people.Moment(p.End, p.Zone) + ", heure de " + zoneName(p.Zone) + ".",
		}},
		{"Arrêter le mandat", []string{
			"La personne l’arrête quand elle veut, sans dire pourquoi et sans frais" + nbsp +
				": auprès de la structure, dans un autre relais du territoire, ou à une borne avec son code d’arrêt.",
			"Il est alors arrêté dans nos relais. Il reste actif dans Aidants Connect jusqu’à ce que la structure l’y arrête, dans les " + days + nbsp + "jours ouvrés.",
		}},
	}
}
