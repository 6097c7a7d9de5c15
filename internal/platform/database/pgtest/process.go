//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// process is a running postmaster that this process started, and so may signal.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// launch starts cmd from a thread that lives until cmd ends: Linux sends the death signal when the parent's thread ends,
// and Go may end any thread that it has not been told to keep.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// output runs cmd to its end from a thread that is nobody else's meanwhile: a thread that launch uses ends with its process,
// and would take cmd along.
func output(cmd *exec.Cmd) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.CombinedOutput()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) end(ctx context.Context, signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal process %d: %w", p.pid(), err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for process %d: %w", p.pid(), ctx.Err())
	}
}

// account is who PostgreSQL runs as; nil is the user of this process.
type account struct{ uid, gid uint32 }

// unprivileged answers an account for PostgreSQL, which refuses to run as root.
func unprivileged() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return &account{uint32(uid), uint32(gid)}, nil
	}
	return nil, errors.New("this is root, PostgreSQL must not run as root, and there is neither a user postgres nor nobody")
}

// own gives dir to the account, which must be able to reach it.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return err
	}
	probe := exec.Command("/bin/sh", "-c", `cd -- "$1"`, "probe", dir)
	probe.Dir = "/"
	probe.SysProcAttr = a.attributes()
	if _, err := output(probe); err != nil {
		return fmt.Errorf("user %d, under which PostgreSQL runs for root, cannot enter it (t.TempDir is root's alone: use pgtest.Dir): %w", a.uid, err)
	}
	return nil
}

// attributes puts the process into a session of its own, so that an interrupt at the terminal reaches the tests first.
func (a *account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	dieWithParent(attr)
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

const installHint = "PostgreSQL is not installed: run `apt-get update && apt-get install -y postgresql`, " +
	"or point VELOZ_TEST_DATABASE_URL at a server (superuser)"

// binaries answers the folder of the newest PostgreSQL: Debian's places first, because its PATH holds only wrappers.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	best, dir := -1, ""
	for _, initdb := range found {
		bin := filepath.Dir(initdb)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > best {
			best, dir = version, bin
		}
	}
	if dir != "" {
		return dir, nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New(installHint)
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	return filepath.Dir(initdb), nil
}
