import { minutes } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { isRecallReaction, mayRecall } from '../../core/domain/records/recall.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { tellOfRecall } from '../../core/records/recall-tell.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { recordById, type StoredRecord } from '../../core/store/records/fates.ts'
import { askRecall } from '../../core/store/records/recall.ts'
import { isStaff, listGrants } from '../../core/store/staff/roles.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { recallBegins } from '../commands/records/recall.ts'
import { type Answer, answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'
import type { DeskDeps } from './deps.ts'

const ignore: Effects = { kind: 'ignore' }

/** Whoever reacted hears of it in their own chat, if they are of the staff; a flood of reactions is answered once. */
const tell = async (tx: Tx, event: InboxEvent, record: StoredRecord, words: Answer): Promise<void> => {
  if (!(await isStaff(tx, event.sender))) return
  if (!(await takeToken(tx.sql, `recall:${event.sender}`, { burst: 10, everyMs: minutes(1) }, tx.now))) return
  const link = `https://matrix.to/#/${record.room}/${record.event}`
  await say(tx, `recall-reaction:${event.eventId}`, { user: event.sender }, answer(link, ...words.blocks))
}

const recallIt = async (tx: Tx, event: InboxEvent, named: StoredRecord): Promise<void> => {
  const record = named.edits ? ((await recordById(tx.sql, named.edits)) ?? named) : named
  const sender = event.sender as UserId
  const roles = (await listGrants(tx.sql, { userId: sender })).filter(g => g.suspendedAt === null).map(g => g.role)
  const windowHours = (await readSettings(tx.sql))['recall.window_hours']
  const not = mayRecall({ userId: sender, roles }, record, { now: tx.now, windowHours })
  if (not) {
    await tx.audit({
      actor: { kind: 'user', id: sender },
      action: 'record.recall',
      object: { kind: 'event', id: record.event },
      outcome: 'refused',
      reason: not.code,
      room: record.room,
      patient: record.patient,
    })
    return tell(tx, event, record, answer(`Your reaction did not recall it. ${not.sentence}`))
  }
  if (record.doomedAt !== null || record.destroyedAt !== null) return
  if (!(await askRecall(tx, record, { by: sender }))) return
  await tellOfRecall(tx, record, sender)
  await tell(tx, event, record, await recallBegins(tx, record))
}

/**
 * A waste basket on a message recalls it, as `!recall` does. The homeserver vouches for who reacted, as it does for a client's own
 * "remove"; nothing is approved by it. The reaction goes with the message.
 */
export const recallByReaction = async (d: Pick<DeskDeps, 'store'>, event: InboxEvent): Promise<Effects> => {
  const relation = event.content['m.relates_to'] as
    | { rel_type?: unknown; event_id?: unknown; key?: unknown }
    | undefined
  if (relation?.rel_type !== 'm.annotation' || typeof relation.event_id !== 'string') return ignore
  if (!isRecallReaction(relation.key)) return ignore
  const record = await recordById(d.store.db, relation.event_id)
  return record && record.room === event.roomId ? { kind: 'done', apply: tx => recallIt(tx, event, record) } : ignore
}
