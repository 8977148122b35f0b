package store

/*
typedef struct sqlite3 sqlite3;
int sqlite3_auto_extension(void (*entry)(void));
int sqlite3_db_config(sqlite3 *db, int op, ...);

enum { enable_qpsg = 1007 }; // SQLITE_DBCONFIG_ENABLE_QPSG

static int relais_on_open(sqlite3 *db, char **message, const void *api) {
	return sqlite3_db_config(db, enable_qpsg, 1, (int *)0);
}

static int relais_keep_plans(void) { return sqlite3_auto_extension((void (*)(void))relais_on_open); }
*/
import "C"

import "fmt"

// A prepared statement keeps its plan, whatever is bound to it (SQLite's Query
// Planner Stability Guarantee). Without it, a plan that looked at the kind of a
// bound value, as most with a WHERE beyond one unique key do, is thrown away by
// each sqlite3_clear_bindings; the driver calls that after each use, so that
// SQLite would compile nearly every join and list again each time: 30 to 110 µs
// instead of 2 to 5. Our statements want one plan. The driver has no word for
// it, so that SQLite is told in C, once, for every connection it opens.
func init() {
	if code := C.relais_keep_plans(); code != 0 {
		panic(fmt.Sprintf("sqlite3_auto_extension: code %d", code))
	}
}
