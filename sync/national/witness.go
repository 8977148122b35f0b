package national

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"relais/node/journal"
	"relais/sync/exchange"
)

// checkpoint shows the service the state of our journal when it grew, with the proof
// that it continues what was shown before, and keeps its cosignature. A journal that
// the service does not recognise is said, here and there, and ends no pass.
func (t *attempt) checkpoint(ctx context.Context, r *Report) error {
	held := t.counts.Checkpoint
	for again := false; ; again = true {
		sent, due, err := t.Hub.Submission(ctx, held)
		if err != nil {
			return fmt.Errorf("sign a checkpoint: %w", err)
		}
		if !due {
			return nil
		}
		shorter := sent.Old < held // than what was seen of it
		if again && shorter {
			return t.refused(ctx, r, held)
		}
		lines, err := t.addCheckpoint(ctx, sent)
		var stale *staleError
		switch {
		case err == nil:
			r.Updated++
			return t.keepCosignature(ctx, sent.Checkpoint, lines)
		case contradicts(err), errors.As(err, &stale) && shorter:
			return t.refused(ctx, r, held)
		case stale == nil || again:
			return err
		}
		held = stale.held // another pass came first
	}
}

// keepCosignature keeps what the service said of a checkpoint that it took. A service
// that signs with another key than the roster names has taken it all the same: that is
// for people to put right, and the next pass asks again.
func (t *attempt) keepCosignature(ctx context.Context, checkpoint []byte, lines string) error {
	err := t.Hub.KeepCosignature(ctx, checkpoint, lines)
	if errors.Is(err, journal.ErrNotCosigned) {
		t.Logger.Warn("the national service took a checkpoint and did not cosign it, though the roster names its witness key", "peer", t.service.String())
		return nil
	}
	return err
}

// refused notes that the service does not recognise our journal.
func (t *attempt) refused(ctx context.Context, r *Report, held int64) error {
	r.JournalRefused = true
	return t.Hub.CheckpointRefused(ctx, held)
}

// contradicts tells whether the service found our journal to be no continuation of
// what it saw.
func contradicts(err error) bool {
	var p *exchange.Problem
	return errors.As(err, &p) && (p.Status == http.StatusConflict || p.Status == http.StatusUnprocessableEntity)
}

// staleError is the size of our journal that the service holds.
type staleError struct{ held int64 }

func (e *staleError) Error() string {
	return fmt.Sprintf("the service holds %d entries of this journal", e.held)
}

// addCheckpoint sends a checkpoint and returns the lines of the answer, "" where the
// service cosigns none.
func (t *attempt) addCheckpoint(ctx context.Context, s journal.Submission) (lines string, err error) {
	err = t.send(ctx, http.MethodPost, PathAddCheckpoint, http.Header{"Content-Type": {TypeSubmission}}, s.Text(), func(resp *http.Response) error {
		want := TypeCosignatures
		switch {
		case resp.StatusCode == http.StatusNoContent:
			want = ""
		case resp.StatusCode == http.StatusConflict && mediaType(resp) == TypeSize:
			return readSize(resp)
		}
		body, err := readAnswer(resp, want, maxCosignaturesOctets)
		lines = string(body)
		return err
	})
	return lines, err
}

func readSize(resp *http.Response) error {
	resp.StatusCode = http.StatusOK
	body, err := readAnswer(resp, TypeSize, maxSizeOctets)
	if err != nil {
		return err
	}
	return parseSize(body)
}

// maxSizeOctets is of a decimal number and its newline.
const maxSizeOctets = 20

// parseSize makes a staleError of a size as tlog-witness writes it, or says that it
// is none.
func parseSize(body []byte) error {
	text, found := strings.CutSuffix(string(body), "\n")
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !found || size < 0 || strconv.FormatInt(size, 10) != text {
		return fmt.Errorf("size %.20q of a journal", body)
	}
	return &staleError{size}
}
