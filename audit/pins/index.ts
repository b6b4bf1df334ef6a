import { minutes, seconds } from '../../core/domain/clock.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { startLoop } from '../alerts/loop.ts'
import type { AuditDeps, AuditPart } from '../deps.ts'
import { watchPins } from './monitor.ts'
import { type Conflicts, pinWhereDue } from './places.ts'

/** One look at what is outside before anything new is put there, and then by turns. */
const start = (deps: AuditDeps) => {
  const conflicts: Conflicts = new Map()
  const failed = (what: string) => (err: unknown) => deps.log.warn({ err: errorFacts(err) }, what)
  const watch = startLoop({
    everyMs: minutes(1),
    run: () => watchPins(deps, conflicts),
    failed: failed('the pinned checkpoints could not be compared; they are compared again in a minute'),
  })
  const pin = startLoop({
    everyMs: seconds(15),
    run: async () => {
      const before = conflicts.size
      await pinWhereDue(deps, conflicts)
      if (conflicts.size !== before) watch.poke()
    },
    failed: failed('a checkpoint could not be pinned; it is tried again'),
  })
  return { stop: () => Promise.all([watch.stop(), pin.stop()]) }
}

/** Checkpoints go outside, and the log is compared with what is there. */
export const pins: AuditPart = { name: 'pins', start: async deps => start(deps) }
