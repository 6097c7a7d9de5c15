package sim

import (
	"fmt"
	"slices"
)

// call is a kind of call that one part of the world makes to another.
type call int

const (
	callHold call = iota
	callRelease
	callKnown
	callCharge
	callClose
	callNotices
	callAck
	callReceipt
	ordersPlace
	ordersSave
	ordersGet
	ordersClaim
	paymentsCreate
	paymentsSave
	paymentsGet
	paymentsClaim
	paymentsTakeReceipt
	paymentsClaimSurplus
	paymentsGiveBack
	paymentsNotices
	paymentsAck
	inventoryPutItem
	inventoryItems
	inventoryAdjust
	inventoryHold
	inventoryRelease
	providerCharge
	providerQuery
	providerClose
	providerRefund
	callCount
)

var callNames = [callCount]string{"inventory.hold", "inventory.release", "inventory.known", "payments.charge", "payments.close",
	"payments.notices", "payments.ack", "payments.receipt", "orders store.place", "orders store.save", "orders store.get", "orders store.claim",
	"payments store.create", "payments store.save", "payments store.get", "payments store.claim", "payments store.take receipt",
	"payments store.claim surplus", "payments store.give back", "payments store.notices", "payments store.ack",
	"inventory store.put item", "inventory store.items", "inventory store.adjust", "inventory store.hold", "inventory store.release",
	"provider.charge", "provider.query", "provider.close", "provider.refund"}

func (c call) String() string { return callNames[c] }

// mishap is what can go wrong with a call.
type mishap int

const (
	requestLost mishap = iota
	answerLost
	duplicated
	delayed
	partitioned
	refused
	refusedAfter
	tooSlow
	crashBefore
	crashAfter
	storeBusy
	storeBroken
	commitUnknown
	mishapCount
)

var mishapNames = [mishapCount]string{"request lost", "answer lost", "duplicated", "arrives late", "partitioned", "refused", "refused after its effect",
	"takes too long", "crash before", "crash after", "store busy", "store broken", "commit unknown"}

// event is anything else that a run must have seen.
type event int

const (
	ordersCrash event = iota
	ordersStopped
	paymentsCrash
	clockJump
	providerSlow
	providerDeclined
	pixBeforeReply
	pixWrongAmount
	pixPaidTwice
	pixPaidLate
	callbackTwice
	keyRepeated
	keyRepeatedElsewhere
	keyOtherBody
	cancelAsked
	canceledPlaced
	canceledHeld
	canceledAwaiting
	canceledConfirmed
	priceChanged
	stockAdded
	stockTaken
	overloaded
	latePaymentServed
	latePaymentRefunded
	outOfStock
	orderExpired
	paymentUnknown
	orderUnprocessable
	leaseTaken
	saveConflict
	eventCount
)

var eventNames = [eventCount]string{"orders process crashed", "orders process stopped gracefully", "payments process crashed", "clock jumped",
	"provider answers after the batch", "provider declines", "Pix paid before its charge was answered", "Pix paid with a wrong amount", "Pix paid twice",
	"Pix paid late", "callback repeated", "key repeated", "key repeated at the other replica", "key repeated with another body", "cancel asked",
	"placed order canceled", "held order canceled", "awaiting order canceled", "confirmed order canceled", "price changed", "stock added",
	"stock taken", "overloaded", "late payment served", "late payment refunded", "out of stock", "order expired", "payment unknown",
	"unprocessable order given up", "order taken over by lease", "conflicting save refused"}

func (e event) String() string { return eventNames[e] }

// Coverage counts the faults that were injected and the events that were seen.
type Coverage struct {
	mishaps [mishapCount][callCount]int
	events  [eventCount]int
}

// Add counts another's.
func (c *Coverage) Add(other *Coverage) {
	for m := range c.mishaps {
		for k := range c.mishaps[m] {
			c.mishaps[m][k] += other.mishaps[m][k]
		}
	}
	for e := range c.events {
		c.events[e] += other.events[e]
	}
}

var (
	networkCalls  = []call{callHold, callRelease, callKnown, callCharge, callClose, callNotices, callAck, callReceipt}
	ordersCalls   = []call{ordersPlace, ordersSave, ordersGet, ordersClaim}
	paymentsCalls = []call{paymentsCreate, paymentsSave, paymentsGet, paymentsClaim, paymentsTakeReceipt, paymentsClaimSurplus, paymentsGiveBack,
		paymentsNotices, paymentsAck}
	inventoryCalls = []call{inventoryPutItem, inventoryItems, inventoryAdjust, inventoryHold, inventoryRelease}
	providerCalls  = []call{providerCharge, providerQuery, providerClose, providerRefund}
	writes         = []call{ordersPlace, ordersSave, ordersClaim, paymentsCreate, paymentsSave, paymentsClaim, paymentsTakeReceipt, paymentsClaimSurplus,
		paymentsGiveBack, paymentsAck, inventoryPutItem, inventoryAdjust, inventoryHold, inventoryRelease}
)

// points are the mishaps that each kind of call can meet.
func points() map[mishap][]call {
	stores := slices.Concat(ordersCalls, paymentsCalls, inventoryCalls)
	network := networkCalls[:len(networkCalls)-1] // a receipt comes from outside, where there is no process of ours
	processes := slices.Concat(network, ordersCalls, paymentsCalls, providerCalls)
	return map[mishap][]call{
		requestLost: slices.Concat(networkCalls, providerCalls), answerLost: slices.Concat(networkCalls, providerCalls),
		duplicated: networkCalls, delayed: slices.Concat(networkCalls, providerCalls), partitioned: networkCalls, refused: networkCalls,
		refusedAfter: networkCalls, tooSlow: slices.Concat(network, providerCalls), crashBefore: processes, crashAfter: processes,
		storeBusy: stores, storeBroken: stores, commitUnknown: writes,
	}
}

// Named is the number of named fault points and events.
func Named() (n int) {
	for _, calls := range points() {
		n += len(calls)
	}
	return n + int(eventCount)
}

// Missing names what was never hit.
func (c *Coverage) Missing() (missing []string) {
	for m, calls := range points() {
		for _, k := range calls {
			if c.mishaps[m][k] == 0 {
				missing = append(missing, fmt.Sprintf("%s: %s", callNames[k], mishapNames[m]))
			}
		}
	}
	for e, n := range c.events {
		if n == 0 {
			missing = append(missing, eventNames[e])
		}
	}
	slices.Sort(missing)
	return missing
}

// Injected is the number of faults injected.
func (c *Coverage) Injected() (n int) {
	for _, calls := range c.mishaps {
		for _, k := range calls {
			n += k
		}
	}
	return n
}
