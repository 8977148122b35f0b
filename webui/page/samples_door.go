package page

import (
	"time"
)

func doorSamples() []Sample {
	refused := base(Door, "Connexion", "").with(Fault{Message: "Identifiant, phrase secrète ou code : quelque chose ne va pas. Vérifiez les trois, puis attendez le code suivant."})
	problem := base(Door, "Page introuvable", "")
	software := base(Door, "Connexion", "")
	software.Software = true
	return []Sample{
		{"signin", &SignIn{Base: base(Door, "Connexion", "")}},
		{"signin-refused", &SignIn{Base: refused, Login: "camille", NextCode: 17 * time.Second}},
		{"signin-first", &SignIn{Base: software, FirstSteps: true}},
		{"problem-404", &Problem{Base: problem, Status: 404, Message: "Cette page n’existe pas, ou plus.", Home: "/bureau"}},
		{"problem-locked", &Problem{Base: base(Door, "Le relais est verrouillé", ""), Status: 503, Message: "Sa clé ne s’ouvre pas sur cette machine. Les données sont intactes et illisibles. Prévenez le service informatique."}},
		{"problem-429", &Problem{Base: problem, Status: 429, Message: "Trop d’essais. Attendez 42 secondes, puis réessayez.", Home: "/bureau"}},
	}
}
