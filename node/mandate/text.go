package mandate

import (
	"strconv"
	"strings"
	"time"

	"relais/node/label"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// Presented is everything a mandate's text says, before it is text. Start and
// End are zero in a recap: the instant of the grant decides them.
type Presented struct {
	Regime       record.MandateKind
	Structure    territory.Structure // name, address and SIRET are read
	HelperName   string
	Beneficiary  people.Beneficiary
	Declarations Declarations
	Evidence     Evidence
	Lines        []Line
	Term         Term
	Start, End   time.Time
	Site         string // where it is drawn up: "Valbrume"
	Zone         *time.Location
}

// Article is one titled part of a mandate's text. A paragraph that begins with
// "– " is an item of a list.
type Article struct {
	Title      string
	Paragraphs []string
}

// usualTextOctets holds the text of a mandate of a few lines.
const usualTextOctets = 4 << 10

// maxTextOctets bounds the text of one mandate: 32 lines of 12 acts fit.
const maxTextOctets = 256 << 10

// nbsp is the space French puts before a colon or inside a number.
const nbsp = "\u00a0"

// Articles is the mandate as it is read aloud and printed. The wording is part of
// what was agreed: the text is kept with each mandate, so a later wording changes
// later mandates only.
func (p Presented) Articles() []Article {
	if p.Regime == record.AidantsConnect {
		return p.mirrorArticles()
	}
	return []Article{
		p.parties(),
		p.object(),
		p.duration(),
		p.declared(),
		{"Ce que la structure s’engage à faire", []string{
			"– Faire seulement les actions écrites ci-dessus, dans l’intérêt de la personne, et lui rendre compte.",
			"– N’utiliser que les informations nécessaires à ces actions, et ne les donner à personne d’autre.",
			"– Ne garder aucun mot de passe de la personne.",
			"– Écrire chaque démarche faite dans le registre du relais, que la personne peut demander à voir.",
		}},
		p.limits(),
		{"Arrêter le mandat", []string{
			"La personne arrête ce mandat quand elle veut, en tout ou en partie, sans dire pourquoi et sans frais" + nbsp +
				": auprès de la structure, dans un autre relais du territoire, ou à une borne avec le code d’arrêt de son exemplaire.",
			"Le mandat s’arrête aussi à sa date de fin, ou dès que les démarches sont terminées.",
		}},
		{"Exemplaires", []string{
			"Ce mandat est signé en deux exemplaires" + nbsp + ": un pour la personne, un pour la structure.",
		}},
	}
}

func (p Presented) parties() Article {
	mandataire := "La structure (mandataire)" + nbsp + ": " + p.Structure.Name
	if p.Structure.Address != "" {
		mandataire += ", " + p.Structure.Address
	}
	if p.Structure.SIRET != "" {
		mandataire += ", SIRET" + nbsp + p.Structure.SIRET
	}
	paragraphs := []string{
		"La personne accompagnée (mandant)" + nbsp + ": " + p.Beneficiary.Name.Full() + ", date et lieu de naissance" + nbsp +
			": " + p.Beneficiary.Born() + ".",
		"Identité" + nbsp + ": " + lowerFirst(p.Evidence.Label()) + ".",
	}
	if p.Beneficiary.Contact != "" {
		paragraphs = append(paragraphs, "Pour la joindre"+nbsp+": "+p.Beneficiary.Contact+".")
	}
	return Article{"Entre", append(paragraphs,
		mandataire+".",
		"Établi par "+p.HelperName+", aidant professionnel, au relais de "+p.Site+". Tout aidant autorisé de la structure peut agir.",
	)}
}

func (p Presented) object() Article {
	a := Article{"Ce que le mandat permet", []string{
		"La personne donne mandat à la structure, qui l’accepte, pour faire en son nom les actions suivantes, et aucune autre (articles 1984 et suivants du code civil)" + nbsp + ":",
	}}
	for _, l := range p.Lines {
		a.Paragraphs = append(a.Paragraphs, "– Ligne "+strconv.Itoa(int(l.Number))+", "+l.Scope.Text().Title+", "+l.Service+
			nbsp+": "+strings.Join(l.Acts, nbsp+"; ")+".")
		if w := l.Scope.Text().Warning; w != "" {
			a.Paragraphs = append(a.Paragraphs, w)
		}
	}
	return a
}

func (p Presented) duration() Article {
	a := Article{"Durée", []string{"Le mandat est donné " + p.Term.Label() + "."}}
	if !p.Start.IsZero() {
		a.Paragraphs = append(a.Paragraphs,
			"Il commence le "+people.Moment(p.Start, p.Zone)+" et finit le "+people.Moment(p.End, p.Zone)+", heure de "+zoneName(p.Zone)+".")
	}
	return a
}

func (p Presented) declared() Article {
	a := Article{Title: "Ce que la personne déclare"}
	if p.Declarations.Adult {
		a.Paragraphs = append(a.Paragraphs, "– Elle est majeure, ou mineure émancipée.")
	}
	if p.Declarations.Unprotected {
		a.Paragraphs = append(a.Paragraphs, "– Elle n’est pas sous sauvegarde de justice, curatelle ou tutelle.")
	}
	if p.Declarations.Willing {
		a.Paragraphs = append(a.Paragraphs, "– Elle a compris ce que permet ce mandat et le demande librement.")
	}
	return a
}

func (p Presented) limits() Article {
	return Article{"Ce que le mandat ne permet pas", []string{
		"Ce mandat est établi hors Aidants Connect.",
		"– En l’absence de la personne" + nbsp + ": ni se connecter à ses comptes (FranceConnect, banque ou autre), ni payer, ni utiliser un mot de passe enregistré.",
		"– Signer à la place de la personne ce que la loi lui demande de signer elle-même.",
	}}
}

// zoneName says an IANA zone as a reader understands it: "Indian/Reunion" is
// "Reunion".
func zoneName(zone *time.Location) string {
	name := zone.String()
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ReplaceAll(name, "_", " ")
}

func lowerFirst(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToLower(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

// Text is the articles as one text: the octets that are hashed, kept and printed.
// A line a paragraph, an empty line before each title.
func (p Presented) Text() string { return JoinArticles(p.Articles()) }

// JoinArticles writes articles as Text does.
func JoinArticles(articles []Article) string {
	var b strings.Builder
	b.Grow(usualTextOctets)
	for i, a := range articles {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(a.Title + "\n")
		for _, paragraph := range a.Paragraphs {
			b.WriteString(paragraph + "\n")
		}
	}
	return b.String()
}

// SplitText is the reverse of JoinArticles, so that a kept text is printed as it
// was, whatever the wording has become.
func SplitText(text string) []Article {
	var articles []Article
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n\n") {
		lines := strings.Split(part, "\n")
		articles = append(articles, Article{Title: lines[0], Paragraphs: lines[1:]})
	}
	return articles
}

// TextHash binds a text as it was presented and printed: SHA-256(label ‖ text).
func TextHash(text string) [32]byte { return label.Text.Sum([]byte(text)) }
