package record

// StopCode is the 80 random bits printed on the person's copy (code d'arrêt).
// Who holds it may stop the mandate at any kiosk, and do nothing else.
type StopCode [10]byte

// Commitment lets a kiosk find a mandate from the code alone:
// SHA-256(label ‖ territory ‖ code)[:16].
type Commitment [16]byte
