// Package node is what one hub knows and may do: the domain service.
//
// # Words
//
//	Beneficiary    personne accompagnée (paper: mandant)
//	Structure      structure (mandataire): holds the mandate
//	Helper         aidant professionnel; Referent: référent
//	Accompaniment  accompagnement: a visit, in one of three postures
//	Mandate        mandat: numbered lines, each a named service and named acts
//	Scope          démarche: ten closed keys
//	Term           durée du mandat
//	Act            démarche effectuée
//	Stop code      code d'arrêt
//	Hub            le relais de [site]; Territory: territoire; Roster: registre
//	Record         never shown: a small signed fact that hubs replicate
//	Journal        journal, registre des consultations
//
// # One way
//
// Browser → webui → node → store. A change is one transaction: the rule, the
// rows, the journal leaf and, if it concerns others, the unsigned record with
// its place in the log. After the commit a signer loop signs, stores the
// signature and hands the record to its subscribers. From outside: a record
// comes in through Apply, which verifies, then commits, then tells subscribers.
//
// Nothing here waits for a network or a TPM; the signer loop alone may, and
// nobody waits for it.
package node
