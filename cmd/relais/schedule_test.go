package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// keptJobs is a jobLog in memory.
type keptJobs struct {
	mu   sync.Mutex // guards last
	last map[string]time.Time
}

func (k *keptJobs) JobLast(_ context.Context, name string) (time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last[name], nil
}

func (k *keptJobs) JobSucceeded(_ context.Context, name string, at time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last[name] = at
	return nil
}

// played runs one job for a while of synthetic time and returns when it ran,
// counted from the start.
func played(t *testing.T, lastRunAgo, during time.Duration, j job) (runs []time.Duration, kept *keptJobs) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		kept = &keptJobs{last: map[string]time.Time{j.name: start.Add(-lastRunAgo)}}
		inner := j.run
		j.run = func(ctx context.Context) error {
			runs = append(runs, time.Since(start))
			return inner(ctx)
		}
		ctx, cancel := context.WithTimeout(t.Context(), during)
		defer cancel()
		if err := runSchedule(ctx, []job{j}, kept, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
	return runs, kept
}

func hourly(run func(context.Context) error) job {
	return job{name: "hourly", least: 50 * time.Minute, most: 70 * time.Minute, run: run}
}

func nothing(context.Context) error { return nil }

func TestScheduleInterval(t *testing.T) {
	runs, kept := played(t, 10*time.Minute, 24*time.Hour, hourly(nothing))
	if len(runs) < 20 || len(runs) > 29 {
		t.Errorf("a day of an hourly job: %d runs", len(runs))
	}
	for i := 1; i < len(runs); i++ {
		if d := runs[i] - runs[i-1]; d < 50*time.Minute-time.Second || d > 70*time.Minute+time.Second {
			t.Errorf("run %d came %v after the one before", i, d)
		}
	}
	if runs[0] < 50*time.Minute-time.Second {
		t.Errorf("nothing was missed, and yet it ran %v after the start", runs[0])
	}
	if len(runs) > 0 && kept.last["hourly"].IsZero() {
		t.Error("the last success was not kept")
	}
}

func TestScheduleMissedWhileOff(t *testing.T) {
	runs, _ := played(t, 9*time.Hour, 10*time.Minute, hourly(nothing))
	if len(runs) != 1 || runs[0] > time.Second {
		t.Errorf("a run missed at night: ran at %v, want once, at once", runs)
	}
}

func TestScheduleMissedIsSpread(t *testing.T) {
	j := hourly(nothing)
	j.spread = 5 * time.Minute
	runs, _ := played(t, 9*time.Hour, 10*time.Minute, j)
	if len(runs) != 1 || runs[0] < time.Second || runs[0] > 5*time.Minute+2*time.Second {
		t.Errorf("a run missed at night: ran at %v, want once within 5 min", runs)
	}
}

func TestScheduleFailureIsNotSuccess(t *testing.T) {
	_, kept := played(t, 0, 3*time.Hour, hourly(func(context.Context) error { return errors.New("no answer") }))
	if at := kept.last["hourly"]; at.After(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)) {
		t.Errorf("a failure was kept as a success, at %v", at)
	}
}

func TestSchedulePanicSurvives(t *testing.T) {
	runs, _ := played(t, 0, 12*time.Hour, hourly(func(context.Context) error { panic("planted") }))
	if len(runs) < 9 {
		t.Errorf("a job that panics ran %d times in 12 h, want about 12", len(runs))
	}
}

func TestScheduleNeverOverlaps(t *testing.T) {
	var under int
	slow := func(ctx context.Context) error {
		under++
		defer func() { under-- }()
		if under > 1 {
			t.Error("two runs at once")
		}
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Hour):
		}
		return ctx.Err()
	}
	runs, _ := played(t, 0, 24*time.Hour, hourly(slow))
	if len(runs) < 4 || len(runs) > 8 {
		t.Errorf("a three-hour run of an hourly job: %d runs a day", len(runs))
	}
}

// firstOf plays soonOnce for a while of synthetic time and returns when it ran,
// counted from the start.
func firstOf(t *testing.T, kept *keptJobs, possibleAfter, during time.Duration) (runs []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), during)
		defer cancel()
		err := soonOnce(ctx, "first", time.Minute, kept,
			func() bool { return time.Since(start) >= possibleAfter },
			func(context.Context) { runs = append(runs, time.Since(start)) })
		if err != nil {
			t.Error(err)
		}
	})
	return runs
}

func TestSoonOnce(t *testing.T) {
	never := &keptJobs{last: map[string]time.Time{}}
	if runs := firstOf(t, never, 0, time.Hour); len(runs) != 1 || runs[0] < time.Second || runs[0] > time.Minute {
		t.Errorf("a job that never succeeded: ran at %v, want once within a minute", runs)
	}
	if runs := firstOf(t, never, time.Hour, 2*time.Hour); len(runs) != 1 || runs[0] < time.Hour || runs[0] > time.Hour+time.Minute+time.Second {
		t.Errorf("possible after an hour: ran at %v, want once within a minute of it", runs)
	}
	if runs := firstOf(t, never, 2*time.Hour, time.Hour); len(runs) != 0 {
		t.Errorf("never possible, and yet it ran at %v", runs)
	}
	known := &keptJobs{last: map[string]time.Time{"first": time.Unix(1, 0)}}
	if runs := firstOf(t, known, 0, time.Hour); len(runs) != 0 {
		t.Errorf("it had succeeded, and yet ran at %v", runs)
	}
}

// A success that comes while it waits, because somebody asked, is the first.
func TestSoonOnceAskedMeanwhile(t *testing.T) {
	kept := &keptJobs{last: map[string]time.Time{}}
	synctest.Test(t, func(t *testing.T) {
		ran := false
		asked := func() bool { return kept.JobSucceeded(t.Context(), "first", time.Now()) == nil }
		err := soonOnce(t.Context(), "first", time.Minute, kept, asked, func(context.Context) { ran = true })
		if ran || err != nil {
			t.Errorf("ran %v, %v", ran, err)
		}
	})
}
