// Package linear holds the tests of what is decided once: that the stock of a SKU is linearizable under concurrent calls
// whose outcome may stay unknown, and that of a thousand buyers of the last unit exactly one gets it.
package linear
