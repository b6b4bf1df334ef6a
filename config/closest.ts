/** The candidate nearest to what was typed, or undefined when none is near: at most a third of its letters differ. */
export const closest = (typed: string, candidates: readonly string[]): string | undefined => {
  const ranked = candidates.map(candidate => ({
    candidate,
    distance: distance(typed.toLowerCase(), candidate.toLowerCase()),
  }))
  const best = ranked.sort((a, b) => a.distance - b.distance)[0]
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row[b.length] ?? a.length
}
