import type { EventId, RoomId, UserId } from '../../core/domain/ids.ts'
import { exportNotice } from '../../core/domain/records/export-request.ts'
import { type Homeserver, MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { type JobHandler, type Outcome, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { noteTold } from '../../core/store/records/export-rooms.ts'
import { exportById } from '../../core/store/records/exports.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

export type TellDeps = {
  store: StoreDeps
  homeserver: Homeserver
  bot: {
    userId: UserId
    send(room: RoomId, type: string, content: Record<string, unknown>, o: { txnId: string }): Promise<EventId>
  }
}

/** A room that is no care room learns of an approved export before anybody reads it, from a bot of ours that is a member; where none is, that is noted. */
export const tellOfExport =
  ({ store, homeserver, bot }: TellDeps): JobHandler =>
  async job => {
    const { exportId, room } = job.payload as { exportId: string; room: RoomId }
    const r = await exportById(store.db, exportId)
    if (!r?.approvedBy || r.state !== 'approved') return { kind: 'done' }
    const told = { id: exportId, room, by: 'bots' }
    const untold: Outcome = { kind: 'done', apply: tx => noteTold(tx, { ...told, untold: 'not-in-the-room' }) }
    const { joined_rooms } = await homeserver.request<{ joined_rooms: string[] }>(
      'GET',
      '/_matrix/client/v3/joined_rooms',
      { userId: bot.userId },
    )
    if (!joined_rooms.includes(room)) return untold
    try {
      const content = { msgtype: 'm.notice', body: exportNotice({ ...r, approvedBy: r.approvedBy }) }
      const event = await bot.send(room, 'm.room.message', content, { txnId: txnIdFor(job.id, 'say') })
      return { kind: 'done', apply: tx => noteTold(tx, { ...told, event }) }
    } catch (e) {
      if (e instanceof MatrixRefusal && (e.status === 403 || e.status === 404)) return untold
      throw e
    }
  }
