import type { EventId } from '../../../core/domain/ids.ts'
import { originOf } from '../../../core/http/refusals.ts'
import { markReadUpTo, noticedAt } from '../../../core/store/links/reads.ts'
import { actorOf } from '../../../core/store/links/sessions.ts'
import { advanceNotices } from '../../../core/store/patients/notices.ts'
import { noteSentFromPage } from '../../../core/store/records/media.ts'
import { transact } from '../../../core/store/tx.ts'
import type { Call } from './matrix-call.ts'

const record = (call: Call, action: 'session.read' | 'session.write', what: string): Promise<void> =>
  transact(call.deps.store, tx =>
    tx.audit({
      actor: actorOf(call.session),
      action,
      object: { kind: 'session', id: call.session.id },
      outcome: 'done',
      patient: call.session.patientId,
      room: call.session.roomId,
      origin: originOf(call.req),
      detail: { what },
    }),
  )

/** Written before the content leaves (row 42): without the record nothing is read. Once a page of history, a file, a first sync. */
export const auditRead = (call: Call, what: 'sync' | 'history' | 'media'): Promise<void> =>
  record(call, 'session.read', what)

/** Written before the homeserver is asked: without the record nothing is sent. */
export const auditWrite = (call: Call, what: 'message' | 'upload'): Promise<void> => record(call, 'session.write', what)

/** The patient has answered: every open message of the care team is closed by it. And what it may carry is noted, so that its files go with it. */
export const noteSent = ({ deps, session }: Call, event: unknown): Promise<void> =>
  transact(deps.store, async tx => {
    await advanceNotices(tx, { person: session.personId }, { kind: 'answered' })
    if (typeof event === 'string') await noteSentFromPage(tx, session.personId, event)
  })

/** A read receipt passed: its message and the earlier ones are read. The time of an event without a notice is asked of the homeserver. */
export const noteReceipt = async (call: Call): Promise<void> => {
  const { deps, session, matched } = call
  const event = matched.params.event as EventId
  const known = await transact(deps.store, tx => noticedAt(tx, session, event))
  const at =
    known ??
    (
      await deps.homeserver.request<{ origin_server_ts: number }>(
        'GET',
        `/_matrix/client/v3/rooms/${encodeURIComponent(session.roomId)}/event/${encodeURIComponent(event)}`,
        { userId: session.userId },
      )
    ).origin_server_ts
  await transact(deps.store, tx => markReadUpTo(tx, session, at, originOf(call.req)))
}
