//go:build unix

// Package failpoint kills the process that it is part of at a named place, so that a crash test can aim: between a commit
// and its answer, between a charge and the note of it. Only builds with the tag failpoints have it; see internal/crash.
package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Variable is the environment variable that arms one place: `orders.place.after:3` kills at the third passing.
const Variable = "FAILPOINT"

// Place is what a process can die before or after.
type Place string

// The places: every durable write of a service's, and every call of its that moves money.
const (
	OrdersPlace      Place = "orders.place"
	OrdersSave       Place = "orders.save"
	OrdersClaim      Place = "orders.claim"
	PaymentsCreate   Place = "payments.create"
	PaymentsSave     Place = "payments.save"
	PaymentsClaim    Place = "payments.claim"
	PaymentsReceipt  Place = "payments.receipt"
	PaymentsAck      Place = "payments.ack"
	ProviderCharge   Place = "provider.charge"
	ProviderQuery    Place = "provider.query"
	ProviderRefund   Place = "provider.refund"
	InventoryHold    Place = "inventory.hold"
	InventoryRelease Place = "inventory.release"
)

// Places are all of them.
func Places() []Place {
	return []Place{OrdersPlace, OrdersSave, OrdersClaim, PaymentsCreate, PaymentsSave, PaymentsClaim, PaymentsReceipt, PaymentsAck,
		ProviderCharge, ProviderQuery, ProviderRefund, InventoryHold, InventoryRelease}
}

// Before is the moment before the write or the call.
func (p Place) Before() string { return string(p) + ".before" }

// After is the moment after it, when nobody was told of it yet.
func (p Place) After() string { return string(p) + ".after" }

// armed is the place and how many passings are left.
type armed struct {
	moment string
	left   atomic.Int64
}

var target = fromEnvironment()

func fromEnvironment() *armed {
	setting := os.Getenv(Variable)
	if setting == "" {
		return &armed{}
	}
	moment, count, _ := strings.Cut(setting, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("%s=%q: want a moment and the number of the passing, such as %s:1", Variable, setting, OrdersPlace.After()))
	}
	a := &armed{moment: moment}
	a.left.Store(n)
	return a
}

// Around calls do, and lets the process die before or after it.
func (p Place) Around(do func() error) error {
	target.pass(p.Before())
	err := do()
	if err == nil {
		target.pass(p.After())
	}
	return err
}

func (a *armed) pass(moment string) {
	if a.moment != moment || a.left.Add(-1) != 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "failpoint %s: the process kills itself\n", moment)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing may happen between the signal and the end
}
