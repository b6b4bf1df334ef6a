import { spanWords } from '../../core/domain/oncall/words/duty-words.ts'
import { worldZones } from '../../core/oncall/zones.ts'
import { onCallRole } from '../../core/store/oncall/read.ts'
import { lapseSwaps } from '../../core/store/oncall/swaps.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'

/** Swaps whose time has passed unanswered lapse, and both hear that nothing is changed. */
export const settleSwaps = (store: StoreDeps): Promise<void> =>
  transact(store, async tx => {
    for (const swap of await lapseSwaps(tx)) {
      const entry = await onCallRole(tx, swap.schedule)
      const zone = entry?.schedule.zone ?? 'UTC'
      const name = entry?.role.name ?? swap.schedule
      const words = answer(
        `The swap ${swap.id} for ${name} has lapsed, because it was not agreed to in time: ${swap.gives.person} keeps ${spanWords(swap.gives, zone, worldZones)} (${zone}).`,
      )
      for (const person of [swap.gives.person, swap.partner])
        await say(tx, `swap-settled:${swap.id}:lapsed:${person}`, { user: person }, words)
    }
  })
