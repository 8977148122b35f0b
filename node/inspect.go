package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"relais/node/internal/store"
	"relais/node/territory"
)

// Inspection is what a data folder says of its hub in clear.
type Inspection struct {
	Birth  Birth
	Keys   PublicKeys
	Roster *territory.Roster // nil: none yet, or one that does not hold
	// Forged says why the roster kept does not hold under the root that was pinned
	// at birth; nil: it does, or there is none.
	Forged error
}

// InspectFolder reads what a data folder says of its hub, without keys and
// without the lock, and changes nothing; a hub may run on it. Errors: ErrNoFolder,
// ErrHalfWritten, ErrDamaged, and those of reading.
func InspectFolder(ctx context.Context, dir string) (i Inspection, err error) {
	evidence, err := store.OpenEvidence(ctx, filepath.Join(dir, databaseFile))
	if err != nil {
		return i, fmt.Errorf("inspect %s: %w", dir, unreadable(err))
	}
	defer evidence.Close()
	begun, err := evidence.Begun(ctx)
	if err == nil && !begun {
		err = ErrHalfWritten
	}
	if err != nil {
		return i, fmt.Errorf("inspect %s: %w", dir, unreadable(err))
	}
	meta, err := evidence.Reader().AllMeta()
	if err != nil {
		return i, fmt.Errorf("inspect %s: %w", dir, unreadable(err))
	}
	if len(meta[metaHub]) != len(territory.HubID{}) {
		return i, fmt.Errorf("inspect %s: %w", dir, ErrHalfWritten)
	}
	i.Birth = Birth{Territory: territory.Code(meta[metaTerritory]), RootKey: string(meta[metaRootKey]), Name: string(meta[metaName])}
	i.Keys = PublicKeys{
		Hub: territory.HubID(meta[metaHub]), Identity: meta[metaIdentity],
		Witness: meta[metaWitness], Recipient: string(meta[metaRecipient]),
	}
	if note := meta[metaRoster]; note != nil {
		i.Roster, i.Forged = territory.OpenRoster(note, i.Birth.RootKey)
	}
	return i, nil
}

// ErrDamaged means that the database file is not, or no longer, a sound one.
var ErrDamaged = errors.New("the database file is damaged")

func unreadable(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ErrNoFolder
	case store.IsDamage(err):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// Standing says where a hub stands in its territory, as the alarms do: nothing
// where all is well. The roster is nil before the first.
func Standing(self territory.HubID, roster *territory.Roster, now time.Time) (list []Alarm) {
	standing(self, now, roster, func(key string, at time.Time, message string) {
		list = append(list, Alarm{Key: key, Message: message, At: at})
	})
	return list
}

// FolderHolder is the number of the process that holds a data folder; zero: none
// does. It takes no lock, so that a hub that starts meanwhile is not refused.
func FolderHolder(dir string) (pid int, err error) { return store.Holder(dir) }
