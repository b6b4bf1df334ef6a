import { hours } from '../../core/domain/clock.ts'
import { mediaIn } from '../../core/domain/records/media.ts'
import { megolmIndex, ratchetFrom, readWith } from '../../core/matrix/megolm.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import type { RoomKey } from '../../core/records/escrow.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { countUnread } from '../../core/store/records/coverage.ts'
import { noteMedia } from '../../core/store/records/media.ts'
import { keepSessions, passMessage, sessionRatchet } from '../../core/store/records/sessions.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

/** How long a room key is waited for; then the message counts as one that could not be read. */
const keyWait = hours(6)

const ignore: Effects = { kind: 'ignore' }

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined)

/**
 * Notes which files a message of a covered room carries. It is opened with a ratchet that this very commit turns past it, and nothing else of it is kept.
 */
export const readCovered =
  (store: StoreDeps) =>
  async (event: InboxEvent): Promise<Effects> => {
    const session = text(event.content.session_id)
    const ciphertext = text(event.content.ciphertext)
    const unread: Effects = { kind: 'done', apply: tx => countUnread(tx, event.roomId) }
    if (event.type !== 'm.room.encrypted') return ignore
    if (!session || !ciphertext || event.content.algorithm !== 'm.megolm.v1.aes-sha2') return unread
    const at = { room: event.roomId, session }
    const ratchet = await sessionRatchet(store, at)
    if (!ratchet && event.expired) return unread
    if (!ratchet) return { kind: 'park', reason: 'no room key', until: event.receivedAt + keyWait }
    let n: number
    let media: string[]
    try {
      n = megolmIndex(ciphertext)
      media = mediaIn(readWith(ratchet, ciphertext).content)
    } catch {
      // Broken, forged, or a message that was passed already: no key will help.
      return unread
    }
    return {
      kind: 'done',
      apply: async tx => {
        await noteMedia(tx, event.eventId, media)
        await passMessage(tx, at, n)
      },
    }
  }

/** Keeps what is needed of new room keys. Returns their rooms, whose waiting messages can be tried again. */
export const keepKeys = async (store: StoreDeps, keys: readonly RoomKey[]): Promise<Set<string>> => {
  await transact(store, tx =>
    keepSessions(
      tx,
      keys.map(k => ({ room: k.room_id, session: k.session_id, ratchet: ratchetFrom(k.session_key) })),
    ),
  )
  return new Set(keys.map(k => k.room_id))
}
