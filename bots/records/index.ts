import { seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import type { Coverage } from '../../core/domain/records/coverage.ts'
import { errorFacts } from '../../core/error-facts.ts'
import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { Metrics } from '../../core/metrics.ts'
import type { SealingKeys } from '../../core/seal.ts'
import { startParts } from '../../core/start-parts.ts'
import { listenTo } from '../../core/store/queues/notify.ts'
import { roomsToLeave } from '../../core/store/records/coverage.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import { coverageNow, coverRooms, leaveRooms, publishPolicy } from './policy.ts'
import { startReader } from './reader.ts'

export type RecordsDeps = {
  store: StoreDeps
  homeserver: Homeserver
  serverName: string
  /** The records bot. */
  bot: UserId
  keys: Pick<SealingKeys, 'recovery'>
  log: Log
  metrics: Metrics
}

/** The records bot beside another of our bots. */
export const recordsBotOf = (bot: UserId): UserId => bot.replace(':', '_records:') as UserId

/** How often all rooms are looked at, and the policy is told to the homeserver again. */
const lookMs = seconds(60)
const everyRoomMs = seconds(300)
/** And when a look failed. */
const againMs = seconds(5)

/**
 * Runs the records bot while the setting `records.coverage` wants it: rooms get it and are told, every room key goes into the officers' escrow, and which files a
 * message carries is noted. Without coverage nothing runs and the user does not exist. One process at a time leads it.
 */
export const startRecords = (d: RecordsDeps): Promise<{ stop(): Promise<void> }> =>
  startParts(async started => {
    const ending = new AbortController()
    let reader: Awaited<ReturnType<typeof startReader>> | undefined
    let starting: Promise<void> | undefined
    let told: { coverage: Coverage; at: number } | undefined
    let again = Number.NEGATIVE_INFINITY

    const begin = () => {
      starting ??= startReader({ ...d, signal: ending.signal }).then(
        running => {
          reader = running
          soon()
        },
        err => {
          starting = undefined
          if (!ending.signal.aborted) d.log.error({ err: errorFacts(err), bot: d.bot }, 'the records bot did not start')
        },
      )
    }
    const look = async () => {
      const coverage = await coverageNow(d.store)
      if (coverage === 'none' && !reader && (await roomsToLeave(d.store.db, 'none')).length === 0) return
      if (!reader) return begin()
      const now = performance.now()
      const changed = told?.coverage !== coverage
      if (changed || now - (told?.at ?? 0) > everyRoomMs * 12) {
        await publishPolicy(d, coverage)
        told = { coverage, at: now }
      }
      // One room that could not be left keeps nobody's records from being kept.
      const leaving = await leaveRooms(d, coverage).then(
        () => undefined,
        (e: unknown) => ({ e }),
      )
      if (changed || now >= again) {
        again = now + everyRoomMs
        await coverRooms(d, coverage)
      }
      if (leaving) throw leaving.e
    }
    let running: Promise<void> = Promise.resolve()
    let later: NodeJS.Timeout | undefined
    const soon = () => {
      running = running.then(async () => {
        if (ending.signal.aborted) return
        await look().catch(err => {
          if (ending.signal.aborted) return
          again = Number.NEGATIVE_INFINITY
          clearTimeout(later)
          later = setTimeout(soon, againMs)
          d.log.error({ err: errorFacts(err) }, 'the coverage of rooms could not be looked at; again in five seconds')
        })
      })
    }
    started({
      stop: async () => {
        ending.abort(new Error('the records bot is being stopped'))
        clearTimeout(later)
        await starting
        await running
        await reader?.stop()
      },
    })
    started(
      await listenTo(d.store.db, 'settings', heard => (heard === 'records.coverage' || heard === '') && soon(), d.log),
    )
    const timer = setInterval(soon, lookMs)
    started({ stop: async () => clearInterval(timer) })
    return {}
  })
