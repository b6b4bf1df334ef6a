/** The changes of one letter, and swaps of neighbours, that turn one word into another; words are cut at 40 letters. */
const distance = (a: string, b: string): number => {
  const [s, t] = [a.slice(0, 40), b.slice(0, 40)]
  let before: number[] = []
  let last = Array.from({ length: t.length + 1 }, (_, j) => j)
  for (let i = 1; i <= s.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= t.length; j += 1) {
      const cost = s[i - 1] === t[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[t.length] ?? 0
}

const alike = (a: string, b: string): number => {
  if (a === b) return 1
  if (a.length === 1 || b.length === 1) return a[0] === b[0] ? 0.6 : 0
  const longer = Math.max(a.length, b.length)
  const score = 1 - distance(a, b) / longer
  return score < 0.6 ? 0 : score
}

/** How alike two names are, word by word whatever their order: 1 the same, 0 nothing in common. The words of the shorter one count most. */
export const closeness = (a: readonly string[], b: readonly string[]): number => {
  const [few, many] = a.length <= b.length ? [a, [...b]] : [b, [...a]]
  if (few.length === 0 || many.length > 20) return 0
  const size = few.length + 0.25 * (many.length - few.length)
  let sum = 0
  for (const word of few) {
    const scores = many.map(other => alike(word, other))
    const best = Math.max(...scores)
    if (best > 0) many.splice(scores.indexOf(best), 1)
    sum += best
    if (many.length === 0) break
  }
  return sum / size
}
