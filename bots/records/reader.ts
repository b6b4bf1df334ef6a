import { minutes, seconds } from '../../core/domain/clock.ts'
import type { RoomId } from '../../core/domain/ids.ts'
import { covers } from '../../core/domain/records/coverage.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { startBot } from '../../core/matrix/bot/bot.ts'
import { isRefusedForGood, MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { startInbox } from '../../core/queues/inbox-worker.ts'
import { type JobHandler, startOutbox, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { startSweeps } from '../../core/queues/sweeps.ts'
import { startParts } from '../../core/start-parts.ts'
import { coverageOf, isCovered } from '../../core/store/records/coverage.ts'
import { passOvertaken } from '../../core/store/records/sessions.ts'
import { transact } from '../../core/store/tx.ts'
import { forgetOver } from './deletion.ts'
import { tellOfExport } from './export-told.ts'
import type { RecordsDeps } from './index.ts'
import { noticeWords } from './notice.ts'
import { coverageNow } from './policy.ts'
import { keepKeys, readCovered } from './read.ts'

/**
 * The records bot itself: a durable encrypted client whose every room key is uploaded to the escrow and forgotten, and the reader of covered rooms. Resolves when
 * this process leads it.
 */
export const startReader = ({
  store,
  homeserver,
  bot: userId,
  keys,
  log,
  metrics,
  signal,
}: RecordsDeps & { signal: AbortSignal }): Promise<{ stop(): Promise<void> }> =>
  startParts(async started => {
    const bot = started(
      await startBot({ homeserver, store, userId, displayName: 'Records', log, escrow: keys, signal }),
    )
    const inbox = started(
      await startInbox({ source: 'records', store, handle: readCovered(store), log, metrics, concurrency: 2 }),
    )

    let stopped = false
    let later: NodeJS.Timeout | undefined
    let draining: Promise<void> = Promise.resolve()
    let waiting = false
    const drain = async () => {
      waiting = false
      if (stopped) return
      try {
        let rooms = new Set<string>()
        await bot.drainRoomKeys(async all => {
          rooms = await keepKeys(store, all)
        })
        for (const room of rooms) await inbox.wake(room)
      } catch (err) {
        log.warn({ err: errorFacts(err), bot: userId }, 'room keys could not be put into the escrow; they wait')
        clearTimeout(later)
        later = setTimeout(soon, seconds(5))
      }
    }
    const soon = () => {
      if (waiting) return
      waiting = true
      draining = draining.then(drain)
    }
    const deaf = bot.keyArrived(soon)
    started({
      stop: async () => {
        deaf()
        stopped = true
        clearTimeout(later)
        await draining
      },
    })
    soon()

    const notice: JobHandler = async job => {
      const { room } = job.payload as { room: RoomId }
      if (!(await isCovered(store.db, room))) return { kind: 'done' }
      try {
        const content = { msgtype: 'm.notice', body: noticeWords }
        await bot.send(room, 'm.room.message', content, { txnId: txnIdFor(job.id, 'notice') })
        return { kind: 'done' }
      } catch (e) {
        if (e instanceof MatrixRefusal && (e.status === 403 || e.status === 404))
          return { kind: 'failed', reason: `${e.status} ${e.errcode}` }
        throw e
      }
    }
    const join: JobHandler = async job => {
      const { room } = job.payload as { room: RoomId }
      const known = await coverageOf(store.db, room)
      if (known?.state !== 'invited' || !covers(await coverageNow(store), known.class)) return { kind: 'done' }
      try {
        await bot.join(room)
        return { kind: 'done' }
      } catch (e) {
        if (!isRefusedForGood(e)) throw e
        // It was taken back meanwhile; the next look at all rooms says what is.
        return { kind: 'failed', reason: 'the homeserver refused' }
      }
    }
    const handlers = {
      'records.join': join,
      'records.notice': notice,
      'records.export-told': tellOfExport({ store, homeserver, bot }),
    }
    started(await startOutbox({ queue: 'bots', store, handlers, log, metrics }))
    const tidy = async () => {
      await transact(store, passOvertaken)
      await forgetOver({ store, homeserver })
    }
    started(startSweeps({ store, name: 'records-sessions', every: minutes(10), run: tidy, log }))
    return {}
  })
