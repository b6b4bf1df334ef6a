import type { Instant } from '../../../core/domain/clock.ts'
import { parseTime } from '../../../core/domain/oncall/words/time-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import type { Role } from '../../../core/domain/roles.ts'
import { worldZones } from '../../../core/oncall/zones.ts'
import { staffOf } from '../../../core/store/oncall/directory.ts'
import { type OnCallEntry, onCallRole, onCallRoles } from '../../../core/store/oncall/read.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Arg, userId, word } from '../../framework/args.ts'
import { closest } from '../../framework/near.ts'

/** Who keeps the schedules. */
export const keepers: readonly Role[] = ['supervisor', 'admin']
export const staff: readonly Role[] = ['clinician', 'desk', 'supervisor', 'compliance', 'admin']

/** An on-call role's key; its user (`@role_cardiology:…`) works too. */
export const roleArg = (): Arg<string> =>
  word('<role>', 'cardiology', text => {
    const key = /^(?:https:\/\/matrix\.to\/#\/)?@role_([^:]+)(?::|$)/i.exec(text)?.[1] ?? text
    return /^[a-z0-9_-]{1,40}$/i.test(key)
      ? key.toLowerCase()
      : refuse('bad-role', 'Expected an on-call role such as cardiology; !oncall role list shows them.')
  })

/** All words up to the next named argument, as one text. */
export const words = (label: string, example: string): Arg<string> => ({
  usage: `<${label}>`,
  example,
  take: tokens =>
    tokens.length === 0
      ? refuse('missing', `<${label}> is missing.`)
      : { value: tokens.map(t => t.text).join(' '), used: tokens.length },
})

/** People, one after the other. */
export const peopleArg = (): Arg<string[]> => ({
  usage: '<user> …',
  example: '@ann:clinic.example @bob:clinic.example',
  take: (tokens, env) => {
    const people: string[] = []
    for (const token of tokens) {
      const taken = userId().take([token], env)
      if (isRefusal(taken)) return taken
      people.push(taken.value)
    }
    return { value: people, used: tokens.length }
  },
})

/** The role that a command names; refuses one that there is not, with the nearest that there is. */
export const findRole = async (tx: Tx, key: string): Promise<OnCallEntry | Refusal> => {
  const entry = await onCallRole(tx, key)
  if (entry) return entry
  const near = closest(
    key,
    (await onCallRoles(tx)).map(e => e.role.key),
  )
  return refuse('unknown-role', `There is no on-call role ${key}.${near ? ` Did you mean ${near}?` : ''}`)
}

/** Refuses people who hold no role of the clinic: they are nobody to whom a page may go. */
export const notStaff = async (tx: Tx, people: readonly string[]): Promise<Refusal | undefined> => {
  const staff = await staffOf(tx)
  const stranger = people.find(p => !staff.has(p))
  if (stranger === undefined) return undefined
  const near = closest(stranger, [...staff])
  return refuse(
    'unknown-person',
    `${stranger} holds no role of the clinic, so that nothing is sent to them.${near ? ` Did you mean ${near}?` : ''}`,
  )
}

/** A time as it was written, in a zone; `now` is what it is reckoned from. */
export const timeIn = (text: string, zone: string, now: Instant): Instant | Refusal =>
  parseTime(text, { now, zone, zones: worldZones })

/** A stretch: the end is reckoned from the beginning. */
export const spanIn = (
  from: string,
  to: string,
  zone: string,
  now: Instant,
): { from: Instant; to: Instant } | Refusal => {
  const begins = timeIn(from, zone, now)
  if (isRefusal(begins)) return begins
  const ends = timeIn(to.replace(/^(for)\s+/i, 'in '), zone, begins)
  return isRefusal(ends) ? ends : { from: begins, to: ends }
}

/** The role's user, to be written to in a direct chat, as clients show it to be tapped. */
export const roleLink = ({ user }: { user: string }): string => `https://matrix.to/#/${user}`
