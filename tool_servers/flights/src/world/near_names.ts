/** Which of the names that are known look like one that is not. */

/** The names nearest to `wanted`, the likeliest first, at most `limit`; none that has little in common. */
export function nearNames(wanted: string, known: Iterable<string>, limit = 3): string[] {
  const scored: Array<[string, number]> = [];
  for (const name of known) {
    const score = likeness(wanted, name);
    if (score >= leastLikeness(wanted)) scored.push([name, score]);
  }
  scored.sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (a < b ? -1 : 1));
  return scored.slice(0, limit).map(([name]) => name);
}

/** Of a short name, as Chinese ones are, a single letter says much. */
function leastLikeness(wanted: string): number {
  return [...wanted].length <= 4 ? 0.5 : 0.6;
}

/** 1: the same; 0: nothing in common. A name that begins as the other does is like it, too. */
export function likeness(a: string, b: string): number {
  const one = [...a];
  const other = [...b];
  const longer = Math.max(one.length, other.length);
  if (longer === 0) return 1;
  const edits = 1 - distance(one, other) / longer;
  const shorter = Math.min(one.length, other.length);
  const begins = shorter >= 3 && (a.startsWith(b) || b.startsWith(a));
  return begins ? Math.max(edits, 0.75) : edits;
}

/** How many letters must be changed, added, left out or swapped with the next. */
function distance(a: readonly string[], b: readonly string[]): number {
  let before: number[] = [];
  let previous = b.map((_, index) => index);
  previous.push(b.length);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? at(before, j - 2) + 1 : change;
      current.push(Math.min(change, swap, at(previous, j) + 1, at(current, j - 1) + 1));
    }
    [before, previous] = [previous, current];
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}
