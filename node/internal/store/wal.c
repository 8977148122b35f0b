#include <string.h>

#include "wal.h"

enum {
	ok = 0,                // SQLITE_OK
	no_memory = 7,         // SQLITE_NOMEM
	is_wal = 0x00080000,   // SQLITE_OPEN_WAL
	max_held = 0x1ffff,    // octets: what SQLite hands to the system at once
};

// A wal is what is kept of an open write-ahead log, beside SQLite's own file.
struct wal {
	sqlite3_io_methods methods; // SQLite's own, those below in the place of six
	const sqlite3_io_methods *own;
	sqlite3_int64 at; // where the octets held belong
	int count;        // of them
	char held[max_held];
};

static sqlite3_vfs holding;
static const sqlite3_vfs *system_vfs; // SQLite's own

// of finds a file's wal by the pointer behind the file.
static struct wal **of(sqlite3_file *f) {
	return (struct wal **)((char *)f + system_vfs->szOsFile);
}

// give hands over what is held. What fails is not tried again: the commit fails
// with it.
static int give(sqlite3_file *f) {
	struct wal *w = *of(f);
	int count = w->count;
	w->count = 0;
	return count == 0 ? ok : w->own->xWrite(f, w->held, count, w->at);
}

// hold keeps what follows what is held already.
static int hold(sqlite3_file *f, const void *octets, int count, sqlite3_int64 at) {
	struct wal *w = *of(f);
	if (w->count > 0 && (at != w->at + w->count || count > max_held - w->count)) {
		int code = give(f);
		if (code != ok) return code;
	}
	if (count > max_held) return w->own->xWrite(f, octets, count, at);
	if (w->count == 0) w->at = at;
	memcpy(w->held + w->count, octets, count);
	w->count += count;
	return ok;
}

// Whatever else is asked of the file comes after what was written.

static int give_and_read(sqlite3_file *f, void *octets, int count, sqlite3_int64 at) {
	int code = give(f);
	return code != ok ? code : (*of(f))->own->xRead(f, octets, count, at);
}

static int give_and_truncate(sqlite3_file *f, sqlite3_int64 size) {
	int code = give(f);
	return code != ok ? code : (*of(f))->own->xTruncate(f, size);
}

static int give_and_sync(sqlite3_file *f, int flags) {
	int code = give(f);
	return code != ok ? code : (*of(f))->own->xSync(f, flags);
}

static int give_and_size(sqlite3_file *f, sqlite3_int64 *size) {
	int code = give(f);
	return code != ok ? code : (*of(f))->own->xFileSize(f, size);
}

static int give_and_close(sqlite3_file *f) {
	struct wal *w = *of(f);
	int given = give(f);
	int closed = w->own->xClose(f);
	sqlite3_free(w);
	return given != ok ? given : closed;
}

static int open_holding(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out) {
	int code = system_vfs->xOpen(vfs, path, f, flags, out);
	if (code != ok || !(flags & is_wal)) return code;
	struct wal *w = sqlite3_malloc(sizeof *w);
	if (w == 0) {
		f->pMethods->xClose(f);
		f->pMethods = 0; // nothing to close
		return no_memory;
	}
	w->count = 0;
	w->own = f->pMethods;
	w->methods = *w->own;
	w->methods.xClose = give_and_close;
	w->methods.xRead = give_and_read;
	w->methods.xWrite = hold;
	w->methods.xTruncate = give_and_truncate;
	w->methods.xSync = give_and_sync;
	w->methods.xFileSize = give_and_size;
	*of(f) = w;
	f->pMethods = &w->methods;
	return ok;
}

// relais_hold_wal registers SQLite's own way to the system under another name,
// with room for a pointer behind each file and an open of ours.
int relais_hold_wal(const char *name) {
	sqlite3_vfs *own = sqlite3_vfs_find(0);
	if (own == 0 || own->iVersion < 3) return -1;
	system_vfs = own;
	holding = *own;
	holding.zName = name;
	holding.szOsFile += sizeof(struct wal *);
	holding.xOpen = open_holding;
	return sqlite3_vfs_register(&holding, 0);
}
