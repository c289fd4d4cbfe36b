package directory

import "strings"

// What a name is worth that contains the query, or is contained in it: worth telling, after those that are nearly
// the same.
const contained = 0.65

// threshold is the least similarity of a name worth telling. Most Chinese names are short, and one character of two
// may be wrong.
func threshold(query []rune) float64 {
	for _, char := range query {
		if char > 0x7f {
			return 0.5
		}
	}
	return 0.6
}

// similarity is 1 for equal names and 0 for those that have nothing in common.
func similarity(a, b []rune) float64 {
	longer, shorter := max(len(a), len(b)), min(len(a), len(b))
	if shorter == 0 {
		return 0
	}
	likeness := float64(shorter) / float64(longer)
	if likeness >= threshold(a) {
		// Else it could not be worth telling: each character too many is a slip.
		likeness = 1 - float64(distance(a, b))/float64(longer)
	}
	if shorter > 2 || shorter > 1 && threshold(a) < 0.6 {
		if strings.Contains(string(a), string(b)) || strings.Contains(string(b), string(a)) {
			return max(likeness, contained)
		}
	}
	return likeness
}

// distance counts the slips between two names: a character too many, too few, wrong, or swapped with the next.
func distance(a, b []rune) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
