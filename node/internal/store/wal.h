// SQLite's interface to the operating system, as sqlite3.h declares it: it is part
// of SQLite's binary interface, and only ever grows at its end. The driver shows
// its header to nobody.

typedef long long int sqlite3_int64;
typedef struct sqlite3_vfs sqlite3_vfs;
typedef struct sqlite3_file sqlite3_file;
typedef struct sqlite3_io_methods sqlite3_io_methods;

struct sqlite3_file {
	const sqlite3_io_methods *pMethods;
};

struct sqlite3_io_methods {
	int iVersion;
	int (*xClose)(sqlite3_file *);
	int (*xRead)(sqlite3_file *, void *, int count, sqlite3_int64 at);
	int (*xWrite)(sqlite3_file *, const void *, int count, sqlite3_int64 at);
	int (*xTruncate)(sqlite3_file *, sqlite3_int64 size);
	int (*xSync)(sqlite3_file *, int flags);
	int (*xFileSize)(sqlite3_file *, sqlite3_int64 *size);
	void (*others[12])(void); // as they are: locks, shared memory, mapping
};

struct sqlite3_vfs {
	int iVersion;
	int szOsFile; // octets of its sqlite3_file
	int mxPathname;
	sqlite3_vfs *pNext;
	const char *zName;
	void *pAppData;
	int (*xOpen)(sqlite3_vfs *, const char *path, sqlite3_file *, int flags, int *out);
	void (*others[15])(void); // as they are
};

sqlite3_vfs *sqlite3_vfs_find(const char *name);
int sqlite3_vfs_register(sqlite3_vfs *, int make_default);
void *sqlite3_malloc(int);
void sqlite3_free(void *);
