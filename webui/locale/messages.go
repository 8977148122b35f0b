package locale

// Messages of the forms: what a control needs, said where it is filled.
const (
	GivenMissing       = "Écrivez le prénom."
	FamilyMissing      = "Écrivez le nom."
	BirthDateInvalid   = "Écrivez la date de naissance avec des chiffres : jour/mois/année, par exemple 14/03/1950."
	BirthPlaceMissing  = "Écrivez le lieu de naissance."
	EvidenceMissing    = "Dites comment vous savez qui est la personne."
	AnswerMissing      = "Posez la question, puis cochez la réponse."
	AdultNo            = "Une personne mineure ne peut pas donner de mandat ici. Voyez avec son parent ou son tuteur."
	ProtectedYes       = "Avec une mesure de protection, aucun mandat ne peut être fait ici. Vous pouvez rester à ses côtés pendant qu’elle fait sa démarche, ou voir la suite avec la personne qui la représente ou qui l’assiste."
	WillingNo          = "Sans son accord libre et clair, il n’y a pas de mandat. Vous pouvez l’accompagner autrement."
	LineScopeMissing   = "Choisissez la démarche de cette ligne."
	LineServiceMissing = "Écrivez le nom du service, par exemple impots.gouv.fr."
	LineActsMissing    = "Écrivez au moins un acte, par exemple : consulter l’avis d’impôt."
	LinesMissing       = "Un mandat a au moins une ligne : un service et ce que vous y ferez."
	MadeMissing        = "Écrivez la date du mandat, par exemple 12/03/2026."
	MirrorTermMissing  = "Choisissez la durée écrite sur le mandat."
	MirrorScopeMissing = "Cochez les démarches écrites sur le mandat."
	MirrorPaperMissing = "Inscrivez seulement les mandats dont vous avez le papier signé."
	TermMissing        = "Choisissez une durée."
	PostureMissing     = "Choisissez comment vous aidez la personne."
	CodeMissing        = "Écrivez le code à 6 chiffres de votre application ou de votre carte."
	SignInMissing      = "Remplissez ce champ pour vous connecter."
	SignedMissing      = "Les deux copies doivent être signées avant de continuer."
	HandedMissing      = "Une copie doit être remise à la personne avant de continuer."
	LineMissing        = "Choisissez la ligne du mandat que vous avez utilisée."
	ChannelMissing     = "Dites comment la démarche a été faite."
	PresentMissing     = "Dites si la personne était là."
	StopLinesMissing   = "Choisissez ce qui s’arrête : tout, ou certaines lignes."
	PersonNameMissing  = "Écrivez le prénom et le nom de la personne, comme en haut de la page."
	PersonNameDiffers  = "Ce n’est pas ce nom. Vérifiez que c’est bien cette personne que vous effacez."
	ReasonMissing      = "Choisissez une raison."
	SoughtMissing      = "Écrivez le code d’arrêt ou le numéro qui est sur le papier."
	SoughtInvalid      = "Ce n’est ni un code d’arrêt, comme 7K3M-9QXD-4T2P-HW8V-5, ni un numéro de mandat, qui commence par m_. Comparez avec le papier, un caractère après l’autre."
	CodeUnknown        = "Ce code n’arrête aucun mandat connu de ce relais. Comparez avec le papier. Si le mandat vient d’être fait, attendez que les relais se soient joints, puis réessayez."
	NumberUnknown      = "Aucun mandat connu de ce relais ne porte ce numéro. Comparez avec le papier. S’il vient d’être fait, attendez que les relais se soient joints, puis réessayez."
	StopCodeMissing    = "Écrivez le code qui est sur votre papier, dans le cadre « Pour arrêter ce mandat »."
)

// Flashes: what was just done, said once on the page that follows.
const (
	FlashPaper      = "Les deux copies sont signées et une est remise. Le mandat est actif."
	FlashWorkDone   = "C’est noté\u00a0: arrêté aussi dans Aidants Connect."
	FlashWorkReopen = "C’est de nouveau à faire dans Aidants Connect."
	FlashMirrors    = "Les mandats sont inscrits. Remettez à chaque personne son papier d’arrêt."
	FlashAct        = "La démarche est enregistrée."
	FlashStopped    = "C’est arrêté."
	FlashClosed     = "L’accompagnement est terminé."
	FlashOut        = "Vous êtes déconnecté."
	FlashIdle       = "Votre session est finie. Connectez-vous pour continuer : rien n’est perdu."
)

// Problems: pages that say no, by what happened rather than by number.
const (
	ProblemNotFound  = "Cette page n’existe pas, ou plus."
	ProblemMethod    = "Cette page ne peut pas être demandée de cette façon."
	ProblemTooLarge  = "Ce qui a été envoyé est trop long."
	ProblemCrossSite = "Cette demande vient d’un autre site : elle est refusée. Rien n’a été enregistré."
	ProblemHost      = "Ce nom ne désigne pas ce relais."
	ProblemForm      = "Le formulaire n’a pas pu être lu. Revenez en arrière et recommencez."
	ProblemStale     = "Ce mandat a changé dans une autre fenêtre. Relisez-le avant de continuer."
)

// The one page of a hub whose keys do not open; what happened is the fault's.
const (
	LockedTitle     = "Le relais est verrouillé"
	LockedMeanwhile = "En attendant, un mandat peut être arrêté à toute autre borne du territoire."
)

// ProblemTitle is the heading of a page that says no.
func ProblemTitle(status int) string {
	switch status {
	case 403:
		return "C’est refusé"
	case 404:
		return "Page introuvable"
	case 413:
		return "Trop long"
	case 421:
		return "Ce n’est pas ici"
	case 429:
		return "Un peu de patience"
	case 503:
		return "Le relais n’est pas prêt"
	}
	return "Cela n’a pas marché"
}
