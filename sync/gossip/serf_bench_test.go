package gossip_test

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"relais/sync/link/linktest"
)

const (
	serfHubs = 30
	// Ours count 2 × 173 × 29 deliveries, above ten thousand; an event of serf's takes
	// half a second.
	serfOurRecords, serfEvents = 173, 20
)

// BenchmarkGoalSerf is the race of BenchmarkGoalRevocation among 30 hubs, beside 30
// agents of serf as it comes (profile lan), each a program of its own, by turns. An
// event of serf's begins when the agent that sends it has it, and is neither signed
// nor kept. Serf is built before, from the module's cache.
func BenchmarkGoalSerf(b *testing.B) {
	program := filepath.Join(b.TempDir(), "serf")
	build := exec.CommandContext(b.Context(), "go", "build", "-modfile=packaging/tools/serf/go.mod", "-o", program, "github.com/hashicorp/serf/cmd/serf")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build serf: %v\n%s", err, out)
	}
	for b.Loop() {
		var ours, peer times
		for range 2 {
			ours.join(measure(b, startOurs(b, serfHubs, serfOurRecords, 0)))
			peer.join(measure(b, startSerf(b, program)))
		}
		b.ReportMetric(ms(percentile(ours.all, 99)), "ours:ms-p99")
		b.ReportMetric(ms(percentile(peer.all, 99)), "peer:ms-p99")
		b.ReportMetric(0.5, "goal:max")
		b.Logf("note: to each of 30 hubs; to the last, median %.0f ms beside %.0f ms; missed %d of %d beside %d of %d",
			ms(percentile(ours.last, 50)), ms(percentile(peer.last, 50)), ours.missed, len(ours.all)+ours.missed, peer.missed, len(peer.all)+peer.missed)
		if ours.missed > 0 {
			b.Errorf("%d deliveries missed", ours.missed)
		}
	}
}

func (t *times) join(o times) {
	t.all, t.last, t.missed = append(t.all, o.all...), append(t.last, o.last...), t.missed+o.missed
}

// agent is one serf and who listens to it.
type agent struct {
	rpc string

	mu sync.Mutex
	at map[string]time.Time // events, by name
}

// startSerf runs agents of serf on loopback, and waits until they all know all.
func startSerf(b *testing.B, program string) contender {
	b.Helper()
	var ends []func()
	run := func(args ...string) (lines *bufio.Scanner) {
		c := exec.Command(program, args...)
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := c.StdoutPipe()
		check(b, err)
		check(b, c.Start())
		ends = append(ends, func() { c.Process.Kill(); c.Wait() })
		return bufio.NewScanner(out)
	}
	agents := make([]*agent, serfHubs)
	var first string
	for i := range agents {
		bind := freePort(b)
		agents[i] = &agent{rpc: freePort(b), at: make(map[string]time.Time)}
		args := []string{"agent", "-node", fmt.Sprintf("hub-%d", i), "-bind", bind, "-rpc-addr", agents[i].rpc}
		if first == "" {
			first = bind
		} else {
			args = append(args, "-retry-join", first, "-retry-interval", "1s")
		}
		log := run(args...)
		go func() {
			for log.Scan() { // nobody reads it; it must not block
			}
		}()
	}
	members := func(a *agent) int {
		out, _ := exec.Command(program, "members", "-status", "alive", "-rpc-addr", a.rpc).Output()
		return strings.Count(string(out), "alive")
	}
	for _, a := range agents {
		linktest.Eventually(b, 60*time.Second, "serf's members", func() bool { return members(a) == serfHubs })
		go a.listen(run("monitor", "-log-level", "info", "-rpc-addr", a.rpc))
	}
	time.Sleep(2 * time.Second) // the monitors are connected
	return contender{
		hubs: serfHubs, records: serfEvents,
		write: func(i int, text string) ([]byte, time.Time) {
			name := strings.ReplaceAll(text[:12], " ", "-")
			check(b, exec.Command(program, "event", "-coalesce=false", "-rpc-addr", agents[i].rpc, name, text).Run())
			var began time.Time
			linktest.Eventually(b, 5*time.Second, "the agent has its own event", func() (has bool) {
				began, has = agents[i].arrived(name)
				return has
			})
			return []byte(name), began
		},
		arrived: func(i int, wire []byte) (time.Time, bool) { return agents[i].arrived(string(wire)) },
		stop: func() {
			for _, end := range ends {
				end()
			}
		},
	}
}

// listen notes the events that an agent tells of.
func (a *agent) listen(lines *bufio.Scanner) {
	for lines.Scan() {
		if _, name, found := strings.Cut(lines.Text(), "Received event: user-event: "); found {
			a.mu.Lock()
			a.at[strings.TrimSpace(name)] = time.Now()
			a.mu.Unlock()
		}
	}
}

func (a *agent) arrived(name string) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.at[name]
	return at, ok
}

// freePort is an address of loopback that nobody listened on a moment ago.
func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	defer l.Close()
	return l.Addr().String()
}
