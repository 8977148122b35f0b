package store

import (
	"database/sql"
	"time"
)

// Peer is when another hub, or the national service, was last heard and last
// compared with.
type Peer struct {
	Hub             [16]byte
	Heard, Compared time.Time
}

// Peers lists what is kept of the peers.
func (r *Reader) Peers() ([]Peer, error) {
	var list []Peer
	rows, err := r.Query(`SELECT hub, heard, compared FROM peers`)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var hub []byte
		var heard, compared int64
		err := rows.Scan(&hub, &heard, &compared)
		if err == nil {
			list = append(list, Peer{[16]byte(hub), Time(heard), Time(compared)})
		}
		return err
	})
}

// PutPeer keeps what is given in place of what was kept.
func (tx *Tx) PutPeer(p Peer) error {
	_, err := tx.Exec(`INSERT INTO peers (hub, heard, compared) VALUES (?, ?, ?)
		ON CONFLICT (hub) DO UPDATE SET heard = excluded.heard, compared = excluded.compared`,
		p.Hub[:], Millis(p.Heard), Millis(p.Compared))
	return err
}
