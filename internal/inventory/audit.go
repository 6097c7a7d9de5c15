package inventory

// Range picks rounds by their order's id, From inclusive and Before exclusive; zero values leave an end open.
type Range struct {
	From, Before OrderID
	Limit        int
}

// Imbalance is an item whose stock is not what its history says.
type Imbalance struct {
	SKU          SKU
	OnHand, Held int64 // what the item says; 0 when there is none
	// MovedOnHand and MovedHeld are what the deltas of its movements sum to.
	MovedOnHand, MovedHeld int64
	// OrdersHold is what the rounds that are not released hold of it.
	OrdersHold int64
}

// Balanced tells whether there is nothing wrong.
func (i Imbalance) Balanced() bool {
	return i.OnHand == i.MovedOnHand && i.Held == i.MovedHeld && i.Held == i.OrdersHold
}
