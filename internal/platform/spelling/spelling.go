// Package spelling suggests what a mistyped name was meant to be.
package spelling

// Closest returns the candidate that is the fewest edits away from word, and whether one is close enough to suggest:
// at most a third of its letters may differ. Of equals the first wins.
func Closest(word string, candidates []string) (string, bool) {
	best, bestEdits := "", len(word)
	for _, candidate := range candidates {
		allowed := max(1, max(len(word), len(candidate))/3)
		if edits := distance(word, candidate); edits <= allowed && edits < bestEdits {
			best, bestEdits = candidate, edits
		}
	}
	return best, best != ""
}

// maxLength bounds the quadratic work that a client's input can cause.
const maxLength = 64

// distance is the optimal string alignment distance: swapped neighbours are one edit, as they are the commonest slip.
func distance(a, b string) int {
	if len(a) > maxLength || len(b) > maxLength {
		return max(len(a), len(b))
	}
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
