package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"relais/hardware/tpm"
)

// checkAccess asks whether the hub's user may open the device, for root who looks
// always may.
func (d *doctor) checkAccess() {
	folder, err := os.Stat(d.config.Hub.DataDir)
	if err != nil {
		return // said before
	}
	device, err := os.Stat(strings.TrimPrefix(d.config.Keys.Device, "unix:"))
	if err != nil {
		return // opening it says more
	}
	owner := ownerOf(folder)
	groups, err := groupsOf(owner)
	detail := fmt.Sprintf("%s %s, user %d of groups %s", d.config.Keys.Device, device.Mode(), owner, strings.Join(groups, " "))
	switch {
	case err != nil:
		d.attention("access", "Les groupes de l’utilisateur du relais ne sont pas connus.", "Regardez par id s’il est du groupe tss.", err.Error())
	case !mayOpen(device, owner, groups):
		d.failed(exitLocked, "access", tpm.ErrPermission.Message, tpm.ErrPermission.Remedy, detail)
	default:
		d.ok("access", "L’utilisateur du relais a le droit d’utiliser la puce de sécurité.", detail)
	}
}

// groupsOf lists a user's groups by number.
func groupsOf(uid uint32) ([]string, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, err
	}
	return u.GroupIds()
}

// mayOpen tells whether a user may read and write a file, by its mode alone.
func mayOpen(file fs.FileInfo, uid uint32, groups []string) bool {
	s := file.Sys().(*syscall.Stat_t)
	mode := file.Mode().Perm()
	switch {
	case uid == 0:
		return true
	case s.Uid == uid:
		return mode&0o600 == 0o600
	case slices.Contains(groups, strconv.FormatUint(uint64(s.Gid), 10)):
		return mode&0o060 == 0o060
	}
	return mode&0o006 == 0o006
}
