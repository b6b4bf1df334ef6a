import type { OnDuty, Override, Why } from './schedule.ts'

type Candidate = { person: string; why: Why }

const overrideWhy = (o: Override): Why =>
  o.kind === 'replace' && o.swap !== undefined
    ? { by: 'override', override: o.id, swap: o.swap }
    : { by: 'override', override: o.id }

/**
 * Who is on, given whom the layers would put on (topmost first) and the overrides in force in the order in which they were made. Whom a layer puts on while they
 * are away is passed over; whom an override names is not.
 */
export const resolve = (
  layers: readonly Candidate[],
  overrides: readonly Override[],
  away: (person: string) => boolean,
  fallback: string,
): OnDuty => {
  let stack = layers
  let also: readonly Candidate[] = []
  for (const o of overrides) {
    const on = { person: o.person, why: overrideWhy(o) }
    const others = (c: Candidate) => c.person !== o.person
    if (o.kind === 'add') also = [...also.filter(others), on]
    else if (o.kind === 'remove') [stack, also] = [stack.filter(others), also.filter(others)]
    else if (o.replaces === undefined) [stack, also] = [[on], []]
    else {
      const replaced = (c: Candidate) => (c.person === o.replaces ? on : c)
      stack = stack.map(replaced)
      also = also.map(replaced)
    }
  }
  const present = stack.find(c => c.why.by === 'override' || !away(c.person))
  const first = present ?? also[0] ?? { person: fallback, why: { by: 'fallback' } as const }
  const rest = also.filter((c, i) => c.person !== first.person && also.findIndex(d => d.person === c.person) === i)
  return { person: first.person, why: first.why, also: rest }
}
