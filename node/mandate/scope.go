package mandate

import "slices"

// Scope is a démarche: one of ten closed keys, those of the national service.
type Scope string

// The scopes.
const (
	Papiers    Scope = "papiers"
	Famille    Scope = "famille"
	Social     Scope = "social"
	Travail    Scope = "travail"
	Logement   Scope = "logement"
	Transports Scope = "transports"
	Argent     Scope = "argent"
	Justice    Scope = "justice"
	Etranger   Scope = "etranger"
	Loisirs    Scope = "loisirs"
)

// ScopeText is what screens and paper say of a scope, in French.
type ScopeText struct {
	Title       string
	Short       string   // for lists and labels
	Description string   // one sentence, of the kind of things it covers
	Examples    []string // services people come for, offered as suggestions
	// Warning is read to the person before a line of this scope; often empty.
	Warning string
}

// scopes keeps the order of the national service, which helpers know.
var scopes = []Scope{Papiers, Famille, Social, Travail, Logement, Transports, Argent, Justice, Etranger, Loisirs}

var scopeTexts = map[Scope]ScopeText{
	Papiers: {
		Title:       "Papiers – Citoyenneté – Élections",
		Short:       "Papiers",
		Description: "Carte d’identité, passeport, actes d’état civil, inscription sur les listes électorales.",
		Examples:    []string{"ants.gouv.fr", "service-public.fr", "Défenseur des droits"},
	},
	Famille: {
		Title:       "Famille – Scolarité",
		Short:       "Famille",
		Description: "Allocations familiales, naissance, mariage ou Pacs, inscription à l’école, bourses.",
		Examples:    []string{"caf.fr", "ameli.fr", "EduConnect"},
	},
	Social: {
		Title:       "Social – Santé",
		Short:       "Santé",
		Description: "Carte Vitale, remboursements, RSA, chômage, handicap, aides aux personnes âgées.",
		Examples:    []string{"ameli.fr", "msa.fr", "caf.fr"},
	},
	Travail: {
		Title:       "Travail – Formation",
		Short:       "Travail",
		Description: "Recherche d’emploi, contrat de travail, concours, formation, retraite.",
		Examples:    []string{"francetravail.fr", "moncompteformation.gouv.fr", "info-retraite.fr"},
	},
	Logement: {
		Title:       "Logement",
		Short:       "Logement",
		Description: "Demande de logement social, aides au logement, énergie, travaux, fin de bail.",
		Examples:    []string{"caf.fr", "demande-logement-social.gouv.fr", "Enedis"},
	},
	Transports: {
		Title:       "Transports – Mobilité",
		Short:       "Transports",
		Description: "Permis de conduire, carte grise, contrôle technique, amendes.",
		Examples:    []string{"ants.gouv.fr", "antai.gouv.fr", "certificat-air.gouv.fr"},
	},
	Argent: {
		Title:       "Argent – Impôts – Consommation",
		Short:       "Argent",
		Description: "Impôts, timbres fiscaux, litiges de consommation, assurance, surendettement.",
		Examples:    []string{"impots.gouv.fr", "timbres.impots.gouv.fr", "Banque de France"},
		Warning: "Dossier de surendettement\u00a0: l’aidant peut aider à le remplir, jamais le signer. " +
			"La déclaration doit être signée par la personne elle-même, sinon elle est irrecevable " +
			"(code de la consommation, art. R.\u00a0721-2 et R.\u00a0761-1).",
	},
	Justice: {
		Title:       "Justice",
		Short:       "Justice",
		Description: "Casier judiciaire, plainte, aide juridictionnelle, saisie d’un tribunal.",
		Examples:    []string{"justice.fr", "citoyens.telerecours.fr"},
	},
	Etranger: {
		Title:       "Étranger – Europe",
		Short:       "Étranger",
		Description: "Titre de séjour, attestation d’accueil, regroupement familial, demande d’asile.",
		Examples:    []string{"administration-etrangers-en-france.interieur.gouv.fr", "ofpra.gouv.fr"},
	},
	Loisirs: {
		Title:       "Loisirs – Sport – Culture",
		Short:       "Loisirs",
		Description: "Animaux, permis bateau, permis de chasser, voyages, associations.",
		Examples:    []string{"service-public.fr", "Ariane"},
	},
}

// Scopes are the ten scopes in the order screens list them.
func Scopes() []Scope { return slices.Clone(scopes) }

// Valid tells whether s is one of the ten keys.
func (s Scope) Valid() bool { return slices.Contains(scopes, s) }

// Text is what screens and paper say of s; zero for a key that is not a scope.
func (s Scope) Text() ScopeText { return scopeTexts[s] }

// Number is the place of s in the list, from 1; 0 for a key that is not a scope.
// It is how the store keeps the scope of each line in one octet: never reorder.
func (s Scope) Number() uint8 { return uint8(slices.Index(scopes, s) + 1) }

// ScopeNumbered is the reverse of Number; empty for a number that is none.
func ScopeNumbered(n uint8) Scope {
	if n < 1 || int(n) > len(scopes) {
		return ""
	}
	return scopes[n-1]
}
