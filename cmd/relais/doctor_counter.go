package main

import (
	"strings"

	"relais/hardware/keyring"
)

// checkCounter looks for the files of the counter, by which a folder put back is
// recognised, where no hub runs to say what it thinks of it. init makes them.
func (d *doctor) checkCounter() {
	if d.keys == nil || !d.asleep() {
		return
	}
	files := []string{"counter.sealed"}
	if d.keys.Provider == keyring.KindSoftware {
		files = append(files, "software.counter")
	}
	var missing []string
	for _, name := range files {
		if !holds(d.config.Hub.DataDir, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	d.attention("counter", "Le compteur de ce relais a disparu, ou n’a pas pu être créé\u00a0: rien ne dit plus si le dossier est le plus récent.",
		"N’effacez rien, et démarrez le relais, relié aux autres\u00a0: il fait un autre compteur s’il le peut, ouvre un nouveau journal, et demande aux autres relais ce qu’il a pu oublier.",
		strings.Join(missing, " and ")+" missing")
}
