import type { RoomId } from '../../core/domain/ids.ts'
import { logOrigin } from '../../core/log-keys.ts'
import type { Read } from '../../core/matrix/bot/decrypt.ts'
import { pinAccountData, pinContent, pinContentKey, readPinContent } from '../../core/pin-content.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { type JobHandler, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { checkpointAt } from '../../core/store/audit/log/checkpoints.ts'
import { tileReader } from '../../core/store/audit/log/tiles.ts'
import { recordRoom } from '../../core/store/patients/care.ts'
import { notePeer } from '../../core/store/pins/peers.ts'
import { notePinned, noteUnreached, pinnedSize } from '../../core/store/pins/pins.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { complianceRoom, pinRoom } from '../../core/store/staff/rooms.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { consistencyProof } from '../../core/tlog/proof.ts'
import type { DeskDeps } from './deps.ts'

/** Which room gets our checkpoints now: undefined while there is none, or the bot is not in it yet. */
const roomNow = async (d: DeskDeps): Promise<RoomId | undefined> => {
  const wanted = (await readSettings(d.store.db))['audit.pin_room']
  if (wanted === 'compliance') return complianceRoom(d.store.db)
  return wanted === 'none' ? undefined : pinRoom(d.store.db, wanted)
}

/** Leaves the newest checkpoint in the bot's own account data, from where an older copy of our database cannot take it away. */
const leaveAtHomeserver = async (d: DeskDeps, note: string): Promise<void> => {
  const { userId } = d.bot
  const path = `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${pinAccountData}`
  await d.homeserver.request('PUT', path, { userId, body: { note } })
}

/** `pins.post`: a checkpoint as an encrypted message that people and programs can read, with the proof that it continues the one before. */
const post =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { size, origin, vkey } = job.payload as { size: number; origin: string; vkey: string }
    const { db } = d.store
    const checkpoint = await checkpointAt(db, size)
    if (!checkpoint) return { kind: 'failed', reason: 'no such checkpoint' }
    await leaveAtHomeserver(d, checkpoint.note)
    const room = await roomNow(d)
    if (!room)
      return {
        kind: 'done',
        apply: async tx => {
          await notePinned(tx, 'homeserver', checkpoint)
          await noteUnreached(tx, 'room', 'the bot is in no such room')
        },
      }
    const old = Math.min(await pinnedSize(db, 'room'), size)
    const proof = await consistencyProof(tileReader(db), old, size)
    const root = Buffer.from(checkpoint.root).toString('base64')
    const content = {
      msgtype: 'm.notice',
      body: `📌 Audit log of ${origin}: ${size} entries, root ${root}`,
      [pinContentKey]: pinContent({ note: checkpoint.note, vkey, old, proof }),
    }
    await d.bot.send(room, 'm.room.message', content, { txnId: txnIdFor(job.id, 'pin') })
    return {
      kind: 'done',
      apply: async tx => {
        await notePinned(tx, 'homeserver', checkpoint)
        await notePinned(tx, 'room', checkpoint)
      },
    }
  }

/** `pins.join`: the room that hospitals share, once the bot was invited. */
const join =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { room } = job.payload as { room: RoomId }
    await d.bot.join(room)
    return {
      kind: 'done',
      apply: tx => recordRoom(tx, { roomId: room, class: 'alert', unit: 'pins', by: d.bot.userId }),
    }
  }

export const pinJobs = (d: DeskDeps): Record<string, JobHandler> => ({ 'pins.post': post(d), 'pins.join': join(d) })

/** What a decrypted message says about another hospital's log; undefined when it is no checkpoint. */
export const peerCheckpoint = (d: DeskDeps, event: InboxEvent, read: Read): Effects | undefined => {
  const said = read.content[pinContentKey]
  if (said === undefined) return undefined
  const pin = readPinContent(said)
  if (!pin) return { kind: 'ignore' }
  const ownOrigin = logOrigin(d.serverName)
  const { sender, originServerTs: at, roomId: room } = event
  return {
    kind: 'done',
    apply: async tx => {
      await notePeer(tx, { pin, sender, at, ownOrigin, room })
    },
  }
}
