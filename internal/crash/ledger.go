//go:build linux

package crash

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// word is what a line of the ledger says.
type word string

const (
	// intent is written before an order is sent for the first time.
	intent word = "intent"
	// acknowledged is written when an order was answered, before anybody counts on it.
	acknowledged word = "acknowledged"
	// cancelIntent and canceled, payIntent and paid are the same of a cancel and of a payer's Pix.
	cancelIntent word = "cancel intent"
	canceled     word = "canceled"
	payIntent    word = "pay intent"
	paid         word = "paid"
)

// entry is a line of the ledger.
type entry struct {
	Word    word      `json:"word"`
	Key     string    `json:"key"`
	OrderID string    `json:"order_id,omitempty"`
	Status  string    `json:"status,omitempty"` // of the order, as it was told
	At      time.Time `json:"at"`
}

// ledger is the client's own book: a file to which lines are only added. Nothing counts before it is on the disk, so the
// book is as good as the promises that it is held against.
type ledger struct {
	file  *os.File
	lines chan line
	done  chan struct{}
	err   error // of the first line that could not be written; read it after done
}

type line struct {
	text   []byte
	synced chan error
}

func openLedger(path string) (*ledger, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the client's ledger: %w", err)
	}
	l := &ledger{file: file, lines: make(chan line, 256), done: make(chan struct{})}
	go l.write()
	return l, nil
}

// note returns when the entry is on the disk.
func (l *ledger) note(e entry) error {
	e.At = time.Now().UTC()
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("note in the client's ledger: %w", err)
	}
	synced := make(chan error, 1)
	l.lines <- line{append(text, '\n'), synced}
	return <-synced
}

// write writes the lines that wait together, with one sync.
func (l *ledger) write() {
	defer close(l.done)
	for first := range l.lines {
		text, waiting := first.text, []chan error{first.synced}
		for more := len(l.lines); more > 0; more-- {
			next := <-l.lines
			text, waiting = append(text, next.text...), append(waiting, next.synced)
		}
		_, err := l.file.Write(text)
		if err = errors.Join(err, l.file.Sync()); err != nil {
			err = fmt.Errorf("write the client's ledger: %w", err)
			l.err = errors.Join(l.err, err)
		}
		for _, w := range waiting {
			w <- err
		}
	}
}

// close is called when nobody notes any more.
func (l *ledger) close() error {
	close(l.lines)
	<-l.done
	return errors.Join(l.err, l.file.Close())
}

// readLedger reads the book back from the disk.
func readLedger(path string) (entries []entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the client's ledger: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("read the client's ledger: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}
