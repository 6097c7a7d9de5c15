// Package rolling proves by its tests that a new version can be rolled out under load without one failed request: real
// processes, two of each service, behind balancers that hear of a change as late as Kubernetes' do.
package rolling
