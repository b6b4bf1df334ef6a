import type { Instant } from '../../clock.ts'
import { isRefusal } from '../../refusal.ts'
import { onEvent } from './events.ts'
import type { PagingPorts, Turn } from './page.ts'

/** The turn where the homeserver is known to be away: no card can be delivered now, so that everybody's next way is taken at once, and whoever has none is passed over. The cards follow. */
export const withoutChat = (turn: Turn, now: Instant, ports: PagingPorts): Turn => {
  let { page } = turn
  const effects = [...turn.effects]
  // What a failure leads to is looked at in its turn.
  for (const e of effects) {
    if (e.do !== 'send' || e.way !== 'matrix') continue
    const next = onEvent(page, { kind: 'failed', key: e.key }, now, ports)
    if (isRefusal(next)) continue
    page = next.page
    effects.push(...next.effects)
  }
  return { page, effects }
}
