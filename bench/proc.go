package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's unit of CPU time in /proc, 10 ms on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// stat is what of /proc/PID/stat matters here.
type stat struct {
	parent int
	cpu    time.Duration // of the process itself
	reaped time.Duration // of its children that ended
}

func statOf(pid int) (s stat, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	// The name may hold blanks and parentheses; what follows its last parenthesis does not.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest) // the first one is the state, field 3 of proc(5)
	if len(fields) < 15 {
		return s, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	value := func(field int) int64 {
		n, parseErr := strconv.ParseInt(fields[field-3], 10, 64)
		err = errors.Join(err, parseErr)
		return n
	}
	s.parent = int(value(4))
	s.cpu = time.Duration(value(14)+value(15)) * tick
	s.reaped = time.Duration(value(16)+value(17)) * tick
	return s, err
}

func cpuOf(pid int) (time.Duration, error) {
	s, err := statOf(pid)
	return s.cpu, err
}

// cpuOfFamily is the CPU time of a process and all its children, those that ended too.
func cpuOfFamily(pid int) (time.Duration, error) {
	own, err := statOf(pid)
	if err != nil {
		return 0, err
	}
	total := own.cpu + own.reaped
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return 0, err
		}
		s, err := statOf(child)
		if err == nil && s.parent == pid { // with an error it has ended meanwhile, and is none of ours
			total += s.cpu
		}
	}
	return total, nil
}

// residentMemory is a process's resident set, in bytes.
func residentMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status says nothing of resident memory", pid)
}
