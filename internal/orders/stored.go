package orders

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// storedEvent is an event as both engines store it; At is in microseconds.
type storedEvent struct {
	Version       int64         `json:"version"`
	Type          EventType     `json:"type"`
	Status        Status        `json:"status"`
	PaymentStatus PaymentStatus `json:"payment_status"`
	Reason        string        `json:"reason,omitempty"`
	At            int64         `json:"at"`
}

// EncodeEvents writes the events of one transaction, after which the order is no more at afterVersion, in their stored
// form. It refuses what a table of single events would: a schema does not see into the document.
func EncodeEvents(afterVersion int64, events []Event) ([]byte, error) {
	stored := make([]storedEvent, len(events))
	for i := range events {
		e := &events[i]
		if err := e.validate(); err != nil {
			return nil, err
		}
		if e.Version <= afterVersion {
			return nil, fmt.Errorf("event %d of order %s comes after version %d", e.Version, e.OrderID, afterVersion)
		}
		afterVersion = e.Version
		stored[i] = storedEvent{e.Version, e.Type, e.Status, e.PaymentStatus, e.Reason, e.At.UnixMicro()}
	}
	document, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode events: %w", err)
	}
	return document, nil
}

// DecodeEvents reads the stored form.
func DecodeEvents(order ID, document []byte) ([]Event, error) {
	var stored []storedEvent
	if err := json.Unmarshal(document, &stored); err != nil {
		return nil, fmt.Errorf("decode events of order %s: %w", order, err)
	}
	events := make([]Event, len(stored))
	for i, e := range stored {
		events[i] = Event{OrderID: order, Version: e.Version, Type: e.Type, Status: e.Status,
			PaymentStatus: e.PaymentStatus, Reason: e.Reason, At: time.UnixMicro(e.At).UTC()}
	}
	return events, nil
}

func (e *Event) validate() error {
	_, known := Transitions[e.Status]
	switch {
	case e.Type == "":
		return fmt.Errorf("event %d of order %s has no type", e.Version, e.OrderID)
	case !known:
		return fmt.Errorf("event %d of order %s has status %q", e.Version, e.OrderID, e.Status)
	case !slices.Contains(PaymentStatuses, e.PaymentStatus):
		return fmt.Errorf("event %d of order %s has payment status %q", e.Version, e.OrderID, e.PaymentStatus)
	case e.At.UnixMicro() < 0:
		return fmt.Errorf("event %d of order %s is older than 1970", e.Version, e.OrderID)
	}
	return nil
}
