import { seconds } from '../domain/clock.ts'
import { looseMedia, mayBeCarried, noteMediaDestroyed } from '../store/records/media.ts'
import { transact } from '../store/tx.ts'
import type { DeletionDeps } from './deletion.ts'

const batch = 100

/** Bots and the owners of rooms pass nothing on. */
const passesOn = (user: string) => !/^@(r_|role_|wardroom[_:])/.test(user)

const ask = <T>(d: Pick<DeletionDeps, 'homeserver'>, what: string, body: unknown): Promise<T> =>
  d.homeserver.request<T>('POST', `/_synapse/client/wardroom_${what}`, { body, timeoutMs: seconds(60) })

/**
 * Destroys files, with their previews, that no living message carries any more, in the homeserver's media store. A file that a living message may carry, because
 * we cannot read that message and its sender has seen the file, waits until that message goes. Returns how many are gone. Safe to repeat.
 */
export const destroyLooseMedia = async (d: Pick<DeletionDeps, 'homeserver' | 'store' | 'classes'>): Promise<number> => {
  const candidates = await looseMedia(d.store, { classes: d.classes, limit: batch })
  if (candidates.length === 0) return 0
  const all = [...new Set(candidates.flatMap(c => c.rooms))]
  const { rooms } = await ask<{ rooms: Record<string, string[]> }>(d, 'members', { rooms: all })
  const free: typeof candidates = []
  for (const one of candidates) {
    const people = [...new Set(one.rooms.flatMap(room => rooms[room] ?? []))].filter(passesOn)
    if (!(await mayBeCarried(d.store, one, people))) free.push(one)
  }
  if (free.length === 0) return 0
  const { media } = await ask<{ media: Record<string, string> }>(d, 'destroy_media', { media: free.map(f => f.mxc) })
  const gone = free.filter(f => media[f.mxc] === 'destroyed' || media[f.mxc] === 'missing')
  await transact(d.store, tx =>
    noteMediaDestroyed(
      tx,
      gone.map(g => ({ ...g, found: media[g.mxc] === 'destroyed' })),
    ),
  )
  return gone.length
}
