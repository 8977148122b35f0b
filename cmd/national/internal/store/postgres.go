package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // the one door

	"relais/node/fault"
)

// maxConnections is how many one instance opens, of which one at most writes.
const maxConnections = 9

var postgres = dialect{
	steps:   steps("postgres"),
	begin:   beginWrite,
	stamp:   `DELETE FROM schema_version; INSERT INTO schema_version VALUES (%d)`,
	version: versionOfServer,
	sound:   soundServer,
	explain: explain,
}

// beginWrite queues the writes of all instances, as SQLite's BEGIN IMMEDIATE
// does those of one: what is read to decide a write is then still true when it
// is written. Several territories may have a schema each of one database, hence
// the second part of the lock. An instance that stops in the middle, or is cut
// off, loses its turn; who waits for it in vain says so.
const beginWrite = `
	SET LOCAL idle_in_transaction_session_timeout = '10s';
	SET LOCAL lock_timeout = '15s';
	SELECT pg_advisory_xact_lock(hashtext('relais/national'), hashtext(current_schema()))`

func connectServer(dsn DSN) *DB {
	pool := sql.OpenDB(stdlib.GetConnector(*dsn.config))
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(maxConnections)
	db := &DB{dialect: postgres, read: pool, write: pool}
	db.session = db.on(pool)
	return db
}

// versionOfServer is the version of the schema; 0 where there is no table yet.
func versionOfServer(ctx context.Context, s session) (int, error) {
	var tables, ours int
	if err := s.one(ctx, []any{&tables, &ours}, `
		SELECT count(*), count(*) FILTER (WHERE tablename = 'schema_version')
		FROM pg_tables WHERE schemaname = current_schema()`); err != nil || tables == 0 {
		return 0, err
	}
	if ours == 0 {
		return 0, ErrNotOur
	}
	var version int
	err := s.one(ctx, []any{&version}, `SELECT version FROM schema_version`)
	return version, err
}

// soundServer refuses a server that acknowledges what it may lose, and an
// encoding that cannot hold every name.
func soundServer(ctx context.Context, s session) error {
	var encoding, fsync, pages, commit string
	if err := s.one(ctx, []any{&encoding, &fsync, &pages, &commit}, `
		SELECT current_setting('server_encoding'), current_setting('fsync'),
		       current_setting('full_page_writes'), current_setting('synchronous_commit')`); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w (it is %s)", ErrEncoding, encoding)
	}
	if fsync != "on" || pages != "on" || commit == "off" {
		return fmt.Errorf("%w: fsync=%s full_page_writes=%s synchronous_commit=%s", ErrPowerCut, fsync, pages, commit)
	}
	return nil
}

// ErrAway means that the database cannot be asked now. What was under way was
// not acknowledged and may be sent again.
var ErrAway = errors.New("the database cannot be reached")

// errUndone means that the database undid a write so that another could end.
var errUndone = errors.New("the database undid the write")

// messageAway is the French sentence that a fault carries.
const messageAway = "Le service national ne peut pas répondre pour l’instant. Réessayez plus tard."

// explain says what went wrong in words of ours. The driver's own name the user,
// the database and the address of the server: they are of the DSN, and an error
// ends in a log.
func explain(err error) error {
	var p *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return sql.ErrNoRows
	case errors.Is(err, sql.ErrTxDone):
		return sql.ErrTxDone
	case errors.Is(err, context.Canceled):
		return context.Canceled // alone: it may come wrapped in what was called
	case errors.As(err, &p):
		return explainState(p)
	}
	if reason := unreachable(err); reason != "" {
		return away(errors.New(reason))
	}
	return fmt.Errorf("the database driver fails with a %T", err)
}

func away(reason error) error {
	return fault.New(fault.Unavailable, messageAway, fmt.Errorf("%w: %w", ErrAway, reason))
}

// states are the SQLSTATEs, or their first two characters, that are no fault of
// a query, and what each means.
var states = map[string]string{
	"08":    "the connection broke off",
	"25006": "it is a standby, or read-only",
	"28":    "it refuses the user or the password",
	"3D000": "the server has no database of that name",
	"3F000": "there is no schema of the name in search_path",
	"42501": "the user may not do this: it must own the schema",
	"53":    "the server is short of connections, memory or disk",
	"55P03": "another instance holds the lock too long",
	"57":    "the server starts or stops",
	"58":    "the server cannot read or write its disk",
}

func explainState(p *pgconn.PgError) error {
	switch p.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return away(errUndone)
	}
	for _, code := range []string{p.Code, p.Code[:min(2, len(p.Code))]} {
		if meaning := states[code]; meaning != "" {
			return away(fmt.Errorf("%s (SQLSTATE %s)", meaning, p.Code))
		}
	}
	return fmt.Errorf("the database refuses a query: SQLSTATE %s, table %q, constraint %q", p.Code, p.TableName, p.ConstraintName)
}

// unreachable says why there is no connection; "" for another error.
func unreachable(err error) string {
	var (
		errno   syscall.Errno
		name    *net.DNSError
		network net.Error
		proof   *tls.CertificateVerificationError
		connect *pgconn.ConnectError
	)
	switch {
	case errors.As(err, &proof):
		return "the server's certificate is not the one that sslmode=verify-full and sslrootcert ask for"
	case errors.As(err, &name):
		return "the server's name is not known"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err), errors.As(err, &network) && network.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed),
		errors.As(err, &network), pgconn.SafeToRetry(err):
		return "the connection broke off"
	case errors.As(err, &connect):
		return "the server and this service do not agree on how to connect"
	}
	return ""
}
