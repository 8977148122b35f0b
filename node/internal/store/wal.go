package store

/*
int relais_hold_wal(const char *name);
*/
import "C"

import "fmt"

// holdingWAL names the writer's way to the operating system: SQLite's own, but
// that what is written to the write-ahead log is held in memory and handed over in
// one call, with its sync. SQLite makes two calls for each page: fifty for a
// grant, which took a quarter of its time.
//
// The disk sees the same octets at the same places before the same sync, and
// until then the system promises nothing of them anyway. The other connections
// do not miss them: under synchronous=FULL, SQLite shows them a commit once it is
// synced. Under any other it shows what was only written; so this is for FULL.
const holdingWAL = "relais"

func init() {
	if code := C.relais_hold_wal(C.CString(holdingWAL)); code != 0 {
		panic(fmt.Sprintf("sqlite3_vfs_register: code %d", code))
	}
}
