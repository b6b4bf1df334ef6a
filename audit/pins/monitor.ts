import { number } from '../../core/domain/audit/alerts/rule.ts'
import { minutes } from '../../core/domain/clock.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { ruleValues } from '../../core/store/alerts/alert-rules.ts'
import { settleStates } from '../../core/store/alerts/states.ts'
import { checkPins } from '../../core/store/audit/log/check.ts'
import { logSize } from '../../core/store/audit/log/entries.ts'
import { logKeys, verifiersOf } from '../../core/store/audit/log/keys.ts'
import { type Pin, placesNow, rememberedPins } from '../../core/store/pins/pins.ts'
import { transact } from '../../core/store/tx.ts'
import type { AuditDeps } from '../deps.ts'
import { readFolder } from './folder.ts'
import { readHomeserver } from './homeserver.ts'
import { type Conflicts, folderPlace } from './places.ts'

const placeNames: Record<string, string> = {
  folder: 'the folder of checkpoints',
  room: 'the room of checkpoints',
  homeserver: 'the homeserver',
}
const nameOf = (place: string) => placeNames[place] ?? `the ${place}`

/** What is outside of this database, freshly read, and what this database remembers of having put there. */
const pinsNow = async (deps: AuditDeps): Promise<Pin[]> => {
  const keys = verifiersOf(await logKeys(deps.store.db), deps.vkeys())
  const folder = await readFolder(deps.pinFolder, deps.origin, keys).catch(err => {
    // A folder that cannot be read cannot be written either: its place says so.
    if ((err as NodeJS.ErrnoException).syscall === undefined) throw err
    deps.log.warn({ err: errorFacts(err) }, 'the folder of checkpoints cannot be read now')
    return []
  })
  const homeserver = await readHomeserver(deps, keys)
  return [
    ...folder.map(p => ({ ...p, place: folderPlace })),
    ...homeserver.map(p => ({ ...p, place: 'homeserver' })),
    ...(await rememberedPins(deps.store.db)),
  ]
}

/**
 * The log in the database against every checkpoint outside: a shorter log is a rollback, another root a fork. Raises what is wrong, clears what is right again, and says
 * which place has not got a checkpoint for long.
 */
export const watchPins = async (deps: AuditDeps, conflicts: Conflicts): Promise<void> => {
  const { store } = deps
  const pins = await pinsNow(deps)
  await transact(store, async tx => {
    const size = await logSize(tx.sql)
    const rollback = new Map<string, Record<string, string>>()
    const fork = new Map<string, Record<string, string>>()
    const note = (rule: 'rollback' | 'fork', place: string, pinned: number) => {
      const about = { place: nameOf(place), size: String(size), pinned: String(pinned) }
      ;(rule === 'rollback' ? rollback : fork).set(place, about)
    }
    for (const pin of pins.toSorted((a, b) => a.size - b.size)) {
      const [found] = await checkPins(tx.sql, size, [pin])
      if (found) note(found.code === 'rollback' ? 'rollback' : 'fork', pin.place, pin.size)
    }
    for (const [place, c] of conflicts) note(c.rule, place, c.pinned)
    const values = await ruleValues(tx.sql)
    const enabled = (rule: string) => values.get(rule)?.enabled === true
    await settleStates(tx, 'rollback', rollback, enabled('rollback'))
    await settleStates(tx, 'fork', fork, enabled('fork'))
    const late = minutes(number(values.get('pin-behind') ?? {}, 'minutes'))
    const behind = new Map<string, Record<string, string>>()
    for (const p of (await placesNow(tx.sql)).values()) {
      const since = p.failingSince === null ? 0 : tx.now - p.failingSince
      if (since <= late) continue
      const mins = String(Math.round(since / minutes(1)))
      behind.set(p.place, { place: nameOf(p.place), minutes: mins, error: p.error ?? '' })
    }
    await settleStates(tx, 'pin-behind', behind, enabled('pin-behind'))
    for (const [rule, found] of [
      ['rollback', rollback],
      ['fork', fork],
    ] as const)
      for (const [place, about] of found)
        deps.alert({
          code: `audit.${rule}`,
          ref: place,
          sentence: `the audit log contradicts a checkpoint over ${about.pinned} entries that is kept outside: ${rule}`,
        })
  })
}
