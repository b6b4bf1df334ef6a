import type { JWK } from 'jose'
import type { RoomId } from '../domain/ids.ts'
import { type BackedUp, backupKeyFrom, type RoomKey } from '../matrix/escrow/backup-key.ts'
import { type Homeserver, MatrixRefusal } from '../matrix/homeserver.ts'
import { openK } from '../seal.ts'
import { escrowContext, listEscrows } from '../store/records/escrow.ts'
import type { StoreDeps } from '../store/tx.ts'

export type { RoomKey } from '../matrix/escrow/backup-key.ts'

export type EscrowDeps = {
  store: Pick<StoreDeps, 'db'>
  /** Acts as the records bot: with the bots' registration. */
  homeserver: Homeserver
}

type Sessions = { sessions?: Record<string, BackedUp> }

/** What the homeserver keeps of one version, of all rooms or of one. */
const entriesOf = async (
  { homeserver }: EscrowDeps,
  userId: string,
  version: string,
  room: RoomId | undefined,
): Promise<Record<string, Sessions>> => {
  const path = `/_matrix/client/v3/room_keys/keys${room ? `/${encodeURIComponent(room)}` : ''}`
  try {
    const answer = await homeserver.request<Sessions & { rooms?: Record<string, Sessions> }>('GET', path, {
      userId,
      query: { version },
      timeoutMs: 120_000,
    })
    return room ? { [room]: answer } : (answer.rooms ?? {})
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 404) return {}
    throw e
  }
}

/**
 * Opens the escrow with the officers' joined recovery key (`joinRecovery`): every room key of covered staff rooms and direct chats that the records bot ever
 * got, of all rooms or of `rooms`. Of a session that is there twice, both are given. A room key opens messages with `readMegolm(key.session_key, …)`, or in
 * any Matrix client that imports it. @throws when the recovery key is another one than it was sealed to.
 */
export const openEscrow = async (
  d: EscrowDeps,
  recovery: JWK,
  { rooms }: { rooms?: readonly RoomId[] } = {},
): Promise<RoomKey[]> => {
  const keys: RoomKey[] = []
  for (const { publicKey, owner, version, sealedPrivate } of await listEscrows(d.store.db)) {
    if (version === null) continue
    const plain = await openK(recovery, escrowContext(publicKey), sealedPrivate)
    const backup = await backupKeyFrom(new TextDecoder().decode(plain))
    try {
      for (const wanted of rooms ?? [undefined])
        for (const [room, { sessions = {} }] of Object.entries(await entriesOf(d, owner, version, wanted)))
          for (const [session, entry] of Object.entries(sessions)) keys.push(backup.open({ room, session }, entry))
    } finally {
      backup.free()
      plain.fill(0)
    }
  }
  return keys
}
