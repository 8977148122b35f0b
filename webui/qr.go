package webui

import (
	"fmt"
	"strings"

	"rsc.io/qr"

	"relais/webui/page"
)

// quiet is the white margin around a QR code, in modules (ISO/IEC 18004: 4).
const quiet = 4

// qrOf draws text as a QR code: one SVG path, a rectangle for each run of dark
// modules in a row.
func qrOf(text string) (page.QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return page.QR{}, fmt.Errorf("draw a QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return page.QR{Size: code.Size + 2*quiet, Path: path.String()}, nil
}
