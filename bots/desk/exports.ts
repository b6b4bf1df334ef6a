import type { RoomId } from '../../core/domain/ids.ts'
import { exportNotice } from '../../core/domain/records/export-request.ts'
import { type JobHandler, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { noteTold } from '../../core/store/records/export-rooms.ts'
import { exportById } from '../../core/store/records/exports.ts'
import type { DeskDeps } from './deps.ts'

/** Job `records.export-told`: a room that is no care room learns of an approved export before anybody reads it, where the bot is a member. */
export const exportTold =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { exportId, room } = job.payload as { exportId: string; room: RoomId }
    const r = await exportById(d.store.db, exportId)
    if (!r?.approvedBy || r.state !== 'approved') return { kind: 'done' }
    const by = 'bots'
    const { joined_rooms } = await d.homeserver.request<{ joined_rooms: string[] }>(
      'GET',
      '/_matrix/client/v3/joined_rooms',
      { userId: d.bot.userId },
    )
    if (!joined_rooms.includes(room))
      return { kind: 'done', apply: tx => noteTold(tx, { id: exportId, room, by, untold: 'not-in-the-room' }) }
    const content = { msgtype: 'm.notice', body: exportNotice({ ...r, approvedBy: r.approvedBy }) }
    const event = await d.bot.send(room, 'm.room.message', content, { txnId: txnIdFor(job.id, 'say') })
    return { kind: 'done', apply: tx => noteTold(tx, { id: exportId, room, by, event }) }
  }
