package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Free space below which a hub may soon be unable to write, and below which
// somebody should look, in octets.
const (
	leastSpace = 64 << 20
	fairSpace  = 1 << 30
)

// publicFiles are those of the data folder that others may read.
var publicFiles = []string{requestFile, authorityFile}

// checkFolder looks at the data folder from outside. It returns false when nothing
// in it can be looked at.
func (d *doctor) checkFolder() bool {
	dir := d.config.Hub.DataDir
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s: %w", dir, syscall.ENOTDIR)
	}
	var files []fs.FileInfo
	if err == nil {
		files, err = filesIn(dir)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		d.failed(exitFailed, "folder", "Cet utilisateur n’a pas le droit de lire le dossier du relais.", asItsUser, err.Error())
		return false
	case err != nil:
		d.failed(exitFailed, "folder", "Le dossier du relais n’est pas là où la configuration le dit.",
			"Créez le relais par relais init, ou corrigez « data_dir » dans [hub].", err.Error())
		return false
	}
	d.ok("folder", "Le dossier du relais est là.", dir)
	d.checkOwner(info, files)
	d.checkModes(info, files)
	d.checkSpace()
	return true
}

// filesIn lists all that is in a folder, links not followed.
func filesIn(dir string) (files []fs.FileInfo, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		info, infoErr := e.Info()
		if errors.Is(infoErr, fs.ErrNotExist) {
			continue // a hub that runs makes some and removes some
		}
		if infoErr != nil {
			return nil, infoErr
		}
		files = append(files, info)
	}
	return files, err
}

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// checkOwner finds what a verb left there that was run as another user: the hub
// cannot write it.
func (d *doctor) checkOwner(folder fs.FileInfo, files []fs.FileInfo) {
	owner := ownerOf(folder)
	var strangers []string
	for _, f := range files {
		if ownerOf(f) != owner {
			strangers = append(strangers, f.Name())
		}
	}
	if len(strangers) > 0 {
		d.failed(exitFailed, "owner", "Des fichiers du relais n’appartiennent pas au même utilisateur que leur dossier.",
			fmt.Sprintf("Rendez-les-lui\u00a0: chown -R --reference=%[1]s %[1]s.", d.config.Hub.DataDir), strings.Join(strangers, ", "))
		return
	}
	d.ok("owner", "Le dossier et ses fichiers ont un seul propriétaire.", fmt.Sprintf("user %d", owner))
}

// checkModes finds what others than the owner may read, or change.
func (d *doctor) checkModes(folder fs.FileInfo, files []fs.FileInfo) {
	var open []string
	if folder.Mode().Perm()&0o077 != 0 {
		open = append(open, fmt.Sprintf(". %04o", folder.Mode().Perm()))
	}
	for _, f := range files {
		loose := f.Mode().Perm() & 0o077
		if slices.Contains(publicFiles, f.Name()) {
			loose &^= 0o044
		}
		if loose != 0 && f.Mode()&fs.ModeSymlink == 0 {
			open = append(open, fmt.Sprintf("%s %04o", f.Name(), f.Mode().Perm()))
		}
	}
	if len(open) > 0 {
		d.attention("modes", "D’autres que le propriétaire peuvent entrer dans le dossier du relais, ou en lire des fichiers.",
			"Fermez-le\u00a0: chmod -R go= "+d.config.Hub.DataDir+".", strings.Join(open, ", "))
		return
	}
	d.ok("modes", "Le dossier et ses fichiers sont à leur propriétaire seul.", filepath.Clean(d.config.Hub.DataDir))
}

func (d *doctor) checkSpace() {
	var disk unix.Statfs_t
	if err := unix.Statfs(d.config.Hub.DataDir, &disk); err != nil {
		d.attention("space", "La place libre sur le disque n’est pas connue.", "Regardez par df.", err.Error())
		return
	}
	free := disk.Bavail * uint64(disk.Bsize)
	message := fmt.Sprintf("Il reste %d\u00a0Mo de libre sur le disque du relais.", free/1_000_000)
	const remedy = "Libérez de la place, ou donnez au relais un disque plus grand."
	detail := fmt.Sprintf("%d octets free", free)
	switch {
	case free < leastSpace:
		d.failed(exitFailed, "space", message, remedy, detail)
	case free < fairSpace:
		d.attention("space", message, remedy, detail)
	default:
		d.ok("space", message, detail)
	}
}
