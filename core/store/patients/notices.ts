import {
  advance,
  type Failure,
  isClosed,
  markDelay,
  marks,
  type NoticeSignal,
  type NoticeState,
} from '../../domain/care/notice.ts'
import type { EventId, LinkId, PatientId, PersonId, RoomId, TextId } from '../../domain/ids.ts'
import type { Tx } from '../tx.ts'

export type Notice = {
  id: string
  patientId: PatientId
  personId: PersonId
  roomId: RoomId
  eventId: EventId
  sender: string
  state: NoticeState
  failure: Failure | null
  reminders: number
  sentAt: number
  nextAt: number | null
  textId: TextId | null
  linkId: LinkId | null
}

type Row = Record<string, unknown>
export const toNotice = (r: Row): Notice => ({
  id: r.id as string,
  patientId: r.patient_id as PatientId,
  personId: r.person_id as PersonId,
  roomId: r.room_id as RoomId,
  eventId: r.event_id as EventId,
  sender: r.sender as string,
  state: r.state as NoticeState,
  failure: (r.failure as Failure | null) ?? null,
  reminders: r.reminders as number,
  sentAt: r.sent_at as number,
  nextAt: (r.next_at as number | null) ?? null,
  textId: (r.text_id as TextId | null) ?? null,
  linkId: (r.link_id as LinkId | null) ?? null,
})

/** Which notices a signal is about: one text's, one link's, every open one of a person, or one message's. */
export type NoticeSelector =
  | { text: TextId }
  | { link: LinkId }
  | { person: PersonId }
  | { event: EventId; person?: PersonId }

const select = (tx: Tx, by: NoticeSelector) => {
  const q = tx.sql('notice')
  if ('text' in by) return q.where({ text_id: by.text })
  if ('link' in by) return q.where({ link_id: by.link })
  // An event's selector may name a person too, so it is asked for first.
  if ('event' in by)
    return by.person ? q.where({ event_id: by.event, person_id: by.person }) : q.where({ event_id: by.event })
  return q.where({ person_id: by.person })
}

/**
 * Moves the closed loop on, inside the caller's transaction: new state, the reaction's job (`care.mark`, queue `bridge`) and, on failure, the care
 * team's job (`care.failed`). Returns the notices that changed. Safe to call twice.
 */
export const advanceNotices = async (tx: Tx, by: NoticeSelector, signal: NoticeSignal): Promise<Notice[]> => {
  const rows = (await select(tx, by).orderBy('id').forUpdate()).map(toNotice)
  const changed: Notice[] = []
  for (const n of rows) {
    const state = advance(n.state, signal, n.failure)
    if (state === n.state) continue
    const failure = signal.kind === 'failed' ? signal.failure : null
    await tx
      .sql('notice')
      .where({ id: n.id })
      .update({ state, failure, updated_at: tx.now, ...(isClosed(state) ? { next_at: null } : {}) })
    const mark = marks[state]
    if (mark)
      await tx.enqueue({
        queue: 'bridge',
        kind: 'care.mark',
        key: `mark:${n.id}:${mark}`,
        lane: n.roomId,
        due: tx.now + (markDelay[state] ?? 0),
        payload: { noticeId: n.id, mark },
        patient: n.patientId,
      })
    if (state === 'failed')
      await tx.enqueue({
        queue: 'bridge',
        kind: 'care.failed',
        key: `failed:${n.id}:${failure}`,
        lane: n.roomId,
        payload: { noticeId: n.id, failure },
        patient: n.patientId,
      })
    changed.push({ ...n, state, failure })
  }
  return changed
}
