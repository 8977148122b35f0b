package page

import (
	"time"
)

func kioskSamples() []Sample {
	site := func(title string) Base {
		b := base(Kiosk, title, "")
		b.Site = "Port-Exemple"
		return b
	}
	// The node's own sentences: TestSamplesSpeakAsTheNode compares.
	wrong := site("Arrêter mon mandat").with(Fault{Field: "code", Message: "Aucun mandat connu ici n’a ce code. Comparez-le avec votre copie. S’il est bon, ce relais n’a pas encore reçu votre mandat : recommencez dans un moment, ou là où le mandat a été fait."})
	wait := site("Arrêter mon mandat").with(Fault{Field: "code", Message: "Trop d’essais. Attendez 8 secondes, puis réessayez.", Wait: 8 * time.Second})
	receipt := Receipt{Number: "R-2-18", Place: "Port-Exemple", At: SampleNow, Count: 1, Published: true}
	already := receipt
	already.Already, already.Published, already.Count = true, false, 2
	return []Sample{
		{"kiosk_home", &KioskHome{site("Bonjour")}},
		{"kiosk_stop", &KioskStop{Base: site("Arrêter mon mandat")}},
		{"kiosk_stop-wrong", &KioskStop{Base: wrong, Code: "7K3M-9QXD-4T2P-HW8V-5"}},
		{"kiosk_stop-wait", &KioskStop{Base: wait, Code: "7K3M-9QXD-4T2P-HW8V-5"}},
		{"kiosk_unable", &KioskUnable{site("Rien n’a été arrêté ici")}},
		{"kiosk_receipt", &KioskReceipt{Base: site("C’est arrêté"), Receipt: receipt}},
		{"kiosk_receipt-already", &KioskReceipt{Base: site("C’était déjà arrêté"), Receipt: already}},
		{"kiosk_rights", &KioskRights{site("Mes droits")}},
		{"kiosk_call", &KioskCall{site("J’ai besoin d’aide")}},
		{"kiosk_problem", &Problem{Base: site("Page introuvable"), Status: 404, Message: "Cette page n’existe pas, ou plus.", Home: "/kiosque"}},
	}
}
