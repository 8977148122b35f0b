package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// binaries is where Debian puts each version's.
const binaries = "/usr/lib/postgresql/*/bin"

// startTimeout is generous: machines that run tests are busy.
const startTimeout = time.Minute

// owner is who may be let in by password alone; postgres and others are trusted,
// for nobody else reaches the socket.
const (
	owner    = "gardienne"
	password = "motdepasse-plante"
)

// Cluster is a PostgreSQL server of this test binary's own, as Debian ships it,
// durability included: it listens on a socket in its folder and nowhere else.
type Cluster struct {
	dir     string
	bin     string
	who     *syscall.Credential // nil: as we are
	process *exec.Cmd
	ended   chan struct{} // closed when the process ended
	output  *os.File
	admin   *sql.DB
	names   atomic.Int32 // given out

	mu   sync.Mutex
	free []string // schemas with our tables, empty
}

// shared is the cluster that one test binary starts when it first needs it.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// newCluster makes the cluster and starts it.
func newCluster() (*Cluster, error) {
	found, err := filepath.Glob(binaries)
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("no PostgreSQL in %s: run make bootstrap", binaries)
	}
	slices.Sort(found)
	c := &Cluster{bin: found[len(found)-1]}
	if c.dir, err = os.MkdirTemp("", "relais-pg-"); err != nil {
		return nil, err
	}
	if err := c.make(); err != nil {
		os.RemoveAll(c.dir)
		return nil, err
	}
	c.admin = openRaw("pgx", c.DSN("postgres", "postgres"))
	return c, c.Start()
}

func (c *Cluster) make() error {
	if os.Geteuid() == 0 { // which initdb and postgres refuse
		if err := c.demote(); err != nil {
			return err
		}
	}
	cmd := c.command("initdb", "--pgdata", c.data(), "--username", "postgres", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions", "--wal-segsize", "1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	access := fmt.Sprintf("local all %s scram-sha-256\nlocal all all trust\n", owner)
	return os.WriteFile(filepath.Join(c.data(), "pg_hba.conf"), []byte(access), 0o600)
}

// demote has the server run as Debian's user for it.
func (c *Cluster) demote() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.dir, int(uid), int(gid))
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.Env = c.dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.who}
	return cmd
}

// Start starts the server and waits until it answers. settings are "name=value",
// beyond the shipped ones.
func (c *Cluster) Start(settings ...string) error {
	args := []string{
		"-D", c.data(), "-k", c.dir, "-c", "listen_addresses=",
		"-c", "autovacuum=off", // databases of a second need none
		"-c", "wal_writer_delay=10s", // so that what nobody waited for is lost for certain
		"-c", "deadlock_timeout=50ms", // instead of a second
	}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	var err error
	if c.output, err = os.CreateTemp("", "relais-pg-log-"); err != nil {
		return err
	}
	os.Remove(c.output.Name())
	c.process = c.command("postgres", args...)
	c.process.Stdout, c.process.Stderr = c.output, c.output
	// A test binary that is killed takes the server with it. The signal comes when
	// the thread that started it ends, so that thread is kept.
	c.process.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	started, ended := make(chan error), make(chan struct{})
	c.ended = ended
	go func() {
		runtime.LockOSThread()
		err := c.process.Start()
		started <- err
		if err == nil {
			_ = c.process.Wait() // how it ended is in its own log
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	return c.wait()
}

func (c *Cluster) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := c.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", c.output.Fd()))
		return fmt.Errorf("the server does not answer: %w\n%s", err, bytes.TrimSpace(text))
	}
}

// Stop ends the server in good order, Crash without writing what waits.
func (c *Cluster) Stop() error  { return c.end(syscall.SIGINT) }
func (c *Cluster) Crash() error { return c.end(syscall.SIGQUIT) }

func (c *Cluster) end(how syscall.Signal) error {
	if err := c.process.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.ended
	return c.output.Close()
}

func (c *Cluster) remove() error { return errors.Join(c.admin.Close(), c.Stop(), os.RemoveAll(c.dir)) }

// unused is a name that nothing in the cluster bears.
func (c *Cluster) unused() string { return fmt.Sprintf("essai%d", c.names.Add(1)) }

// giveBack empties a schema for the next test. One that cannot be emptied, for
// want of our tables, is left alone.
func (c *Cluster) giveBack(schema string) {
	var statement strings.Builder
	for _, table := range []string{"records", "logs", "checkpoints", "contradictions", "refusals", "rosters", "sightings", "structures", "list", "territory"} {
		fmt.Fprintf(&statement, "DELETE FROM %s.%s;", schema, table)
	}
	if _, err := c.admin.Exec(statement.String()); err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.free = append(c.free, schema)
	}
}

// emptied is a schema that was given back; "" for none.
func (c *Cluster) emptied() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) == 0 {
		return ""
	}
	last := len(c.free) - 1
	name := c.free[last]
	c.free = c.free[:last]
	return name
}

// DSN names a database of the cluster.
func (c *Cluster) DSN(user, database string) string {
	return fmt.Sprintf("user=%s host=%s dbname=%s", user, c.dir, database)
}

func openRaw(driver, name string) *sql.DB {
	db, err := sql.Open(driver, name)
	if err != nil {
		panic(err) // only an unknown driver's name can fail here
	}
	return db
}
