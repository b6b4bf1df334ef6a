import { minutes } from '../clock.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { RecordFacts } from './facts.ts'
import { type Hold, holds } from './hold.ts'
import { type Policy, policyMatches } from './policy.ts'
import { basisWords, keepWords, scopeWords } from './policy-words.ts'

/** How shortly a message lives, from its sending or from its first reading. */
export type Life = { from: 'sent' | 'read'; keepMs: number }

/** Runs look every five minutes, so less means nothing; what lives longer than 90 days is retention and not ephemeral. */
export const shortestLife = minutes(5)
export const longestLife = 90 * 86_400_000

const prefix = 'ephemeral-'

/** The label of what lives so long: a retention policy of that label makes it go. */
export const ephemeralLabel = ({ from, keepMs }: Life): string => `${prefix}${from}-${keepMs / 1000}s`

export const isEphemeralLabel = (label: string): boolean => label.startsWith(prefix)

/** How long what carries these labels lives, as far as `!ephemeral` said so. */
export const lifeOf = (labels: readonly string[]): Life | undefined => {
  const m = labels.map(l => /^ephemeral-(sent|read)-(\d{1,9})s$/.exec(l)).find(found => found !== null)
  return m ? { from: m[1] as Life['from'], keepMs: Number(m[2]) * 1000 } : undefined
}

/** `5 minutes after it was first read`. */
export const lifeWords = ({ from, keepMs }: Life): string =>
  `${keepMs % 3_600_000 === 0 ? keepWords(keepMs) : `${Math.round(keepMs / 60_000)} minutes`} ${basisWords(from)}`

/** What a room is told, in both languages that the patient's page speaks; null: no longer. Nothing of what is written there. */
export const ephemeralNotice = (life: Life | null): string => {
  if (life === null)
    return '⏳ Messages written here from now on are no longer deleted early. · Lo que se escriba aquí desde ahora ya no se borra antes de tiempo.'
  const minutesLong = Math.round(life.keepMs / 60_000)
  const [n, en, es] =
    minutesLong % 60 !== 0
      ? [minutesLong, 'minute', 'minuto']
      : minutesLong % 1440 !== 0
        ? [minutesLong / 60, 'hour', 'hora']
        : [minutesLong / 1440, 'day', 'día']
  const [s, when, cuando] = [
    n === 1 ? '' : 's',
    life.from === 'read' ? 'after they were first read' : 'after they were sent',
    life.from === 'read' ? 'después de leerse por primera vez' : 'después de enviarse',
  ]
  return `⏳ Messages written here from now on are deleted ${n} ${en}${s} ${when}. · Lo que se escriba aquí desde ahora se borra ${n} ${es}${s} ${cuando}.`
}

/** The sign on one message that lives shortly. */
export const ephemeralMark = '⏳'

/** Does the one go no later than the other, whenever it is read? */
export const isNoLonger = (a: Life, b: Life): boolean =>
  a.keepMs <= b.keepMs && (a.from === 'sent' || b.from === 'read')

/**
 * Why messages with these facts cannot live so shortly, or undefined: a legal hold covers them, or a statutory minimum is longer, or may be, because it runs from
 * later on. Of a room: its facts with each of its writers as the sender.
 */
export const tooShort = (
  life: Life,
  facts: readonly RecordFacts[],
  { policies, holds: all }: { policies: readonly Policy[]; holds: readonly Hold[] },
): Refusal | undefined => {
  if (facts.some(f => all.some(h => holds(h, f))))
    return refuse('held', 'A legal hold covers it, so nothing of it may go. Once the hold is released, ask again.')
  const longer = (p: Policy) => p.keepMs === null || p.keepMs > life.keepMs || p.from === 'discharge'
  const minimum = policies.find(p => p.minimum && longer(p) && facts.some(f => policyMatches(p, f)))
  return minimum
    ? refuse(
        'below-minimum',
        `The minimum for ${scopeWords(minimum.scope)} is ${keepWords(minimum.keepMs)}${minimum.keepMs === null ? '' : ` ${basisWords(minimum.from)}`}; it cannot live shorter.`,
      )
    : undefined
}
