import { seconds } from '../../core/domain/clock.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { hashOldSurnames } from '../../core/store/alerts/alert-facts.ts'
import { settleServices, settleStale } from '../../core/store/alerts/states.ts'
import { transact } from '../../core/store/tx.ts'
import type { AuditDeps, AuditPart } from '../deps.ts'
import { alertEngine } from './engine.ts'
import { startLoop } from './loop.ts'

const startRules = (deps: AuditDeps) => {
  const engine = alertEngine(deps.store)
  const loop = startLoop({
    everyMs: seconds(1),
    run: async () => {
      while (await engine.turn());
    },
    failed: err =>
      deps.log.warn({ err: errorFacts(err) }, 'the alert rules broke down; they go on from where they were'),
  })
  const deaf = deps.onSequenced(loop.poke)
  return {
    stop: async () => {
      deaf()
      await loop.stop()
    },
  }
}

/** How often what is no entry is looked at: queues, sinks, services. An alert is there within five seconds. */
const stateMs = seconds(4)

const startStates = (deps: AuditDeps) =>
  startLoop({
    everyMs: stateMs,
    run: async () => {
      await transact(deps.store, async tx => {
        await settleStale(tx)
        await settleServices(tx)
      })
    },
    failed: err => deps.log.warn({ err: errorFacts(err) }, 'the states of the services could not be looked at'),
  })

/** Names that were stored before surnames were compared. */
const startSurnames = (deps: AuditDeps) =>
  startLoop({
    everyMs: seconds(20),
    run: async () => {
      await hashOldSurnames(deps.store)
    },
    failed: err => deps.log.warn({ err: errorFacts(err) }, 'surnames that were stored long ago could not be hashed'),
  })

/** The anomaly rules: over each batch as it is sequenced, and over what is no entry every four seconds. */
export const alerts: AuditPart = {
  name: 'alerts',
  start: async deps => {
    const parts = [startRules(deps), startStates(deps), startSurnames(deps)]
    return { stop: () => Promise.all(parts.map(p => p.stop())) }
  },
}
