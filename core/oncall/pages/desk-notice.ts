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

/** What the desk room of the role's unit reads when nobody took an alarm: reference, role and priority, never a word of it. One job for each time a page is exhausted. */
export const deskNotices = async (tx: Tx, turns: readonly Told[]): Promise<NewJob[]> => {
  const lost = turns.flatMap(({ stored, turn: { page, effects } }) => {
    const news = effects.flatMap(e => (e.do === 'tell' && e.news.kind === 'exhausted' ? [e.news] : [])).at(-1)
    return news && hasNoHuman(page) ? [{ stored, page, news, key: roleKey(stored.target) }] : []
  })
  if (lost.length === 0) return []
  const roles = await roleUnits(
    tx,
    lost.flatMap(l => l.key ?? []),
  )
  return lost.map(({ stored, page, news, key }) => {
    const role = key === undefined ? undefined : roles.get(key)
    const text = `${page.ref}: an alarm for ${role?.name ?? key ?? 'a person on call'} (${page.priority}): ${takenBy(news.have, news.need)}. The fallback is called. Please see that somebody goes.`
    return {
      queue: 'bots',
      kind: 'desk.alert',
      key: `page:${page.id}:turn${stored.version + 1}:desk`,
      payload: { what: 'page_exhausted', ...(role ? { unit: role.unit } : {}), text },
    }
  })
}
