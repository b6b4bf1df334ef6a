/** Letters to change, add, drop or swap (Damerau-Levenshtein, adjacent swaps) between two words of at most 60 letters. */
const distance = (left: string, right: string): number => {
  const [a, b] = [[...left.slice(0, 60)], [...right.slice(0, 60)]]
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : 99
      row.push(Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + (same ? 0 : 1), swap))
    }
  }
  return at(a.length, b.length)
}

/** The candidate that was probably meant, or undefined: at most a third of its letters (at least one) differ. */
export const closest = (typed: string, candidates: readonly string[]): string | undefined => {
  const word = typed.toLowerCase()
  const best = candidates
    .map(candidate => ({ candidate, d: distance(word, candidate.toLowerCase()) }))
    .sort((x, y) => x.d - y.d)[0]
  return best && best.d <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}
