import type { Clock } from '../../../core/domain/clock.ts'
import type { Homeserver } from '../../../core/matrix/homeserver.ts'

export type Member = { userId: string; name: string }

type MemberEvent = { state_key: string; content: { membership?: string; displayname?: string } }

/** Everybody who is in the room or invited to it, as the ghost sees it. */
export const fetchMembers = async (homeserver: Homeserver, userId: string, roomId: string): Promise<Member[]> => {
  const { chunk } = await homeserver.request<{ chunk: MemberEvent[] }>(
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/members`,
    { userId, query: { not_membership: 'leave' } },
  )
  return chunk
    .filter(e => e.content.membership === 'join' || e.content.membership === 'invite')
    .map(e => ({ userId: e.state_key, name: e.content.displayname ?? '' }))
}

const keep = 15_000
const atLeastOld = 1000

/** Rooms' members for the proxy's checks, remembered for 15 s; a name that is not known yet makes it look again. */
export const roomMembers = (homeserver: Homeserver, clock: Clock) => {
  const known = new Map<string, { at: number; members: Set<string> }>()
  const load = async (userId: string, roomId: string): Promise<Set<string>> => {
    const members = new Set((await fetchMembers(homeserver, userId, roomId)).map(m => m.userId))
    if (known.size > 2000) known.clear()
    known.set(roomId, { at: clock.now(), members })
    return members
  }
  return async (userId: string, roomId: string, asked: readonly string[]): Promise<ReadonlySet<string>> => {
    const cached = known.get(roomId)
    const age = cached ? clock.now() - cached.at : Number.POSITIVE_INFINITY
    const missing = asked.some(u => !cached?.members.has(u))
    return cached && age < (missing ? atLeastOld : keep) ? cached.members : load(userId, roomId)
  }
}
export type RoomMembers = ReturnType<typeof roomMembers>
