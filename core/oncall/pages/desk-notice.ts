import type { Page, Turn } from '../../domain/oncall/paging/page.ts'
import { roleUnits } from '../../store/oncall/read.ts'
import type { NewJob, Tx } from '../../store/tx.ts'
import { isPerson } from './look-up.ts'

type Told = { stored: { version: number; target: string }; turn: Turn }

/** `cardiology` of `role cardiology` and of `rotation cardiology/nights`; undefined for a person. */
const roleKey = (target: string): string | undefined => /^(?:role|rotation) ([^/]+)/.exec(target)?.[1]

/** A system cannot go to the telephone: somebody else has to hear that nobody came. */
const hasNoHuman = (page: Page): boolean => !page.senders.some(isPerson)

const takenBy = (have: number, need: number): string =>
  have === 0 ? 'nobody has taken it' : `only ${have} of ${need} people have taken it`

type Lost = { told: Told; key: string | undefined; words: (role: string) => string; how: 'desk' | 'fallback' }

/** An alarm that nobody took, and any page whose fallback cannot be reached either: then its sender alone may not be enough. */
const lostIn = (told: Told): Lost | undefined => {
  const { page, effects } = told.turn
  const news = effects.flatMap(e => (e.do === 'tell' ? [e.news] : []))
  const key = roleKey(told.stored.target)
  const what = hasNoHuman(page) ? 'an alarm' : 'a page'
  if (news.some(n => n.kind === 'fallback_failed'))
    return {
      told,
      key,
      how: 'fallback',
      words: role =>
        `${page.ref}: ${what} for ${role} (${page.priority}): nobody has it, and the fallback has not answered or cannot be reached either. Please see at once that somebody goes.`,
    }
  const exhausted = news.flatMap(n => (n.kind === 'exhausted' ? [n] : [])).at(-1)
  if (!exhausted || !hasNoHuman(page)) return undefined
  const taken = takenBy(exhausted.have, exhausted.need)
  return {
    told,
    key,
    how: 'desk',
    words: role =>
      `${page.ref}: ${what} for ${role} (${page.priority}): ${taken}. The fallback is called. Please see that somebody goes.`,
  }
}

/** What the desk room of the role's unit reads when nobody took an alarm, or nobody at all can be reached: reference, role and priority, never a word of the page. */
export const deskNotices = async (tx: Tx, turns: readonly Told[]): Promise<NewJob[]> => {
  const lost = turns.flatMap(t => lostIn(t) ?? [])
  if (lost.length === 0) return []
  const roles = await roleUnits(
    tx,
    lost.flatMap(l => l.key ?? []),
  )
  return lost.map(({ told, key, words, how }) => {
    const role = key === undefined ? undefined : roles.get(key)
    return {
      queue: 'bots',
      kind: 'desk.alert',
      key: `page:${told.turn.page.id}:turn${told.stored.version + 1}:${how}`,
      payload: {
        what: 'page_exhausted',
        ...(role ? { unit: role.unit } : {}),
        text: words(role?.name ?? key ?? 'a person on call'),
      },
    }
  })
}
