/** One line of the bench: a value beside what the bare homeserver, database or library does in the same run. */
export type Figure = {
  /** Begins with its area, e.g. `bridge.sms_accepted_p99`. */
  name: string
  value: number
  unit: string
  /** The same thing without Wardroom; null where there is none. */
  baseline: number | null
  /** value ÷ baseline */
  ratio: number | null
  /** In words, e.g. `ratio ≥ 0.8`. */
  goal: string
  holds: boolean
  /** What the number rests on: counts, medians, what stood in for what. */
  note?: string
}

export type Goal = { ratioAtLeast: number } | { atLeast: number } | { atMost: number } | { aboveBaselineAtMost: number }

const rounded = (n: number) => Number(n.toPrecision(4))

/** Judges a measurement. `aboveBaselineAtMost` is in the figure's own unit. */
export const figure = (f: {
  name: string
  value: number
  unit: string
  baseline?: number
  goal: Goal
  note?: string
}): Figure => {
  const baseline = f.baseline ?? null
  const ratio = baseline === null ? null : f.value / baseline
  const judge = (): [string, boolean] => {
    const g = f.goal
    if ('ratioAtLeast' in g) return [`ratio ≥ ${g.ratioAtLeast}`, ratio !== null && ratio >= g.ratioAtLeast]
    if ('atLeast' in g) return [`≥ ${g.atLeast} ${f.unit}`, f.value >= g.atLeast]
    if ('atMost' in g) return [`≤ ${g.atMost} ${f.unit}`, f.value <= g.atMost]
    const limit = g.aboveBaselineAtMost
    return [`≤ baseline + ${limit} ${f.unit}`, baseline !== null && f.value <= baseline + limit]
  }
  const [goal, holds] = judge()
  return {
    name: f.name,
    value: rounded(f.value),
    unit: f.unit,
    baseline: baseline === null ? null : rounded(baseline),
    ratio: ratio === null ? null : rounded(ratio),
    goal,
    holds,
    ...(f.note ? { note: f.note } : {}),
  }
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which a share `q` (0 to 1) of the values lies. @throws without values. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
  if (at === undefined) throw new Error('there is nothing to measure')
  return at
}
