package tpm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// plainSeal and plainUnseal are what a first program with go-tpm does: right,
// and in clear on the bus.
func plainSeal(conn transport.TPM, parent tpm2.AuthHandle) (*tpm2.CreateResponse, error) {
	return tpm2.Create{
		ParentHandle: parent,
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: kek}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: true},
		}),
	}.Execute(conn)
}

func plainUnseal(conn transport.TPM, parent tpm2.AuthHandle, sealed *tpm2.CreateResponse) ([]byte, error) {
	object, err := tpm2.Load{ParentHandle: parent, InPrivate: sealed.OutPrivate, InPublic: sealed.OutPublic}.Execute(conn)
	if err != nil {
		return nil, err
	}
	defer tpm2.FlushContext{FlushHandle: object.ObjectHandle}.Execute(conn)
	unsealed, err := tpm2.Unseal{
		ItemHandle: tpm2.AuthHandle{Handle: object.ObjectHandle, Name: object.Name, Auth: tpm2.PasswordAuth(nil)},
	}.Execute(conn)
	if err != nil {
		return nil, err
	}
	return unsealed.OutData.Buffer, nil
}

// BenchmarkGoalUnseal: what the pinned root and the encrypted session cost,
// beside go-tpm alone in clear. Once per start.
func BenchmarkGoalUnseal(b *testing.B) {
	process, _ := start(b)
	p := open(b, process.Device())
	blob := wrap(b, p)
	other, _ := start(b)
	conn := raw(b, other)
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(conn)
	if err != nil {
		b.Fatal(err)
	}
	parent := tpm2.AuthHandle{Handle: made.ObjectHandle, Name: made.Name, Auth: tpm2.PasswordAuth(nil)}
	sealed, err := plainSeal(conn, parent)
	if err != nil {
		b.Fatal(err)
	}
	var ours, peer []time.Duration
	for b.Loop() {
		for range unsealRounds {
			began := time.Now()
			mustUnwrap(b, p, blob)
			ours = append(ours, time.Since(began))
			began = time.Now()
			if _, err := plainUnseal(conn, parent, sealed); err != nil {
				b.Fatal(err)
			}
			peer = append(peer, time.Since(began))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ours), "ours:µs-p50")
	b.ReportMetric(median(peer), "peer:µs-p50")
	b.ReportMetric(unsealGoal, "goal:max")
	b.Logf("note: once per start; swtpm on a unix socket, %d interleaved rounds", len(ours))
}

const (
	unsealGoal   = 4 // times a bare unseal
	unsealRounds = 200
)

func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Nanoseconds()) / 1000
}
