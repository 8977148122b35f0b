package mandate

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
