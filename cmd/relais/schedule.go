package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
)

// stopJobsWithin bounds the wait for a job that runs when the hub stops.
const stopJobsWithin = 3 * time.Second

// A job is work the hub does by itself. It must be safe to repeat and to cut.
type job struct {
	name string // constant: it is kept with the last success
	// The job runs every least to most, at random, so that the hubs of a
	// territory do not all call at once.
	least, most time.Duration
	// spread is how long at most a run missed while the machine was off waits
	// after the start, at random: hubs are switched on at the same hour.
	spread time.Duration
	run    func(context.Context) error
}

// jobLog keeps the last success of each job. It is an interface so that the
// schedule is tested without a node; *node.Node satisfies it.
type jobLog interface {
	JobLast(ctx context.Context, name string) (time.Time, error)
	JobSucceeded(ctx context.Context, name string, at time.Time) error
}

// runSchedule runs the jobs until ctx ends. A job never overlaps itself: a run
// still under way when the next is due takes its place. A job that fails or
// panics is logged and runs again at its next time.
//
// The trap: gocron recovers from a job's panic only where a listener for it is
// set; without, one job ends the hub.
func runSchedule(ctx context.Context, jobs []job, kept jobLog, log *slog.Logger) error {
	s, err := gocron.NewScheduler(
		gocron.WithStopTimeout(stopJobsWithin),
		gocron.WithGlobalJobOptions(
			gocron.WithSingletonMode(gocron.LimitModeReschedule),
			gocron.WithEventListeners(gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, cause any) {
				log.Error("job panicked", "job", name, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			})),
		),
	)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := plan(ctx, s, j, kept, log); err != nil {
			return fmt.Errorf("schedule %s: %w", j.name, err)
		}
	}
	s.Start()
	<-ctx.Done()
	return s.Shutdown()
}

// plan adds a job, soon where a run was missed.
func plan(ctx context.Context, s gocron.Scheduler, j job, kept jobLog, log *slog.Logger) error {
	last, err := kept.JobLast(ctx, j.name)
	if err != nil {
		return err
	}
	options := []gocron.JobOption{gocron.WithName(j.name), gocron.WithContext(ctx)}
	switch missed := !last.IsZero() && time.Since(last) > j.most; { // a new hub missed nothing
	case missed && j.spread > 0:
		at := time.Now().Add(time.Second + rand.N(j.spread))
		options = append(options, gocron.WithStartAt(gocron.WithStartDateTime(at)))
	case missed:
		options = append(options, gocron.WithStartAt(gocron.WithStartImmediately()))
	}
	task := gocron.NewTask(func(ctx context.Context) {
		if err := j.once(ctx, kept); err != nil && ctx.Err() == nil {
			log.Warn("job failed", "job", j.name, "err", err)
		}
	})
	_, err = s.NewJob(gocron.DurationRandomJob(j.least, j.most), task, options...)
	return err
}

// once runs the job and keeps its success.
func (j job) once(ctx context.Context, kept jobLog) error {
	if err := j.run(ctx); err != nil {
		return err
	}
	return kept.JobSucceeded(ctx, j.name, time.Now())
}

// soonOnce runs what a job that never succeeded does, within a while, at random,
// of the moment when it becomes possible. It does nothing where the job
// succeeded before, or does while this waits.
func soonOnce(ctx context.Context, name string, within time.Duration, kept jobLog, possible func() bool, run func(context.Context)) error {
	never := func() (bool, error) {
		last, err := kept.JobLast(ctx, name)
		return last.IsZero(), err
	}
	wait := func(d time.Duration) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(d):
			return true
		}
	}
	if first, err := never(); err != nil || !first {
		return err
	}
	for !possible() {
		if !wait(time.Second) {
			return nil
		}
	}
	if !wait(time.Second + rand.N(within-time.Second)) {
		return nil
	}
	first, err := never()
	if err == nil && first {
		run(ctx)
	}
	return err
}
