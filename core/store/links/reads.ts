import type { EventId } from '../../domain/ids.ts'
import { advanceNotices } from '../patients/notices.ts'
import type { Tx } from '../tx.ts'
import { actorOf, type Origin, type Session } from './sessions.ts'

/** When a message's notice was made; undefined where the event is no clinician's message. */
export const noticedAt = async (tx: Tx, s: Session, event: EventId): Promise<number | undefined> =>
  (await tx.sql('notice').where({ event_id: event, person_id: s.personId }).first('sent_at'))?.sent_at

/** The patient has read everything up to `at` (row 35): the notices close, each with its audit event. Safe to call twice. */
export const markReadUpTo = async (tx: Tx, s: Session, at: number, origin?: Origin): Promise<number> => {
  const open: { event_id: EventId }[] = await tx
    .sql('notice')
    .where({ person_id: s.personId })
    .where('sent_at', '<=', at)
    .whereNotIn('state', ['read', 'answered', 'withdrawn'])
    .orderBy('id')
    .select('event_id')
  let read = 0
  for (const { event_id } of open) {
    const changed = await advanceNotices(tx, { event: event_id, person: s.personId }, { kind: 'read' })
    if (changed.length === 0) continue
    read++
    await tx.audit({
      actor: actorOf(s),
      action: 'message.read',
      object: { kind: 'event', id: event_id },
      outcome: 'done',
      patient: s.patientId,
      room: s.roomId,
      ...(origin ? { origin } : {}),
    })
  }
  return read
}
