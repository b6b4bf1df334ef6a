import { readableAccountData } from './matrix-routes.ts'

/** Pure rules for what the proxy lets out of and into a browser. */
export type Json = Record<string, unknown>

export const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

const only = (of: unknown, keep: (key: string) => boolean): Json =>
  isObject(of) ? Object.fromEntries(Object.entries(of).filter(([key]) => keep(key))) : {}

/** Users whom a body of key calls names. */
export const usersIn = (body: Json, key: 'device_keys' | 'one_time_keys' | 'messages'): string[] =>
  isObject(body[key]) ? Object.keys(body[key]) : []

/** The body with nobody but the room's members: a device that asks about others is not answered about them. */
export const forMembers = (
  body: Json,
  key: 'device_keys' | 'one_time_keys' | 'messages',
  members: ReadonlySet<string>,
): Json => ({
  ...(typeof body.timeout === 'number' ? { timeout: Math.min(body.timeout, 10_000) } : {}),
  [key]: only(body[key], user => members.has(user)),
})

/** Signatures on the ghost's own keys only. */
export const ownSignatures = (body: Json, me: string): Json => only(body, user => user === me)

/** Backed up keys of the session's room only. */
export const ownBackup = (body: Json, room: string): Json => ({ rooms: only(body.rooms, id => id === room) })

/** A Megolm event and nothing readable beside it: what relates to what is the only cleartext that Matrix needs. */
export const isEncrypted = (body: Json): boolean =>
  body.algorithm === 'm.megolm.v1.aes-sha2' &&
  typeof body.ciphertext === 'string' &&
  Object.keys(body).every(k =>
    ['algorithm', 'ciphertext', 'sender_key', 'device_id', 'session_id', 'm.relates_to'].includes(k),
  )

/** Every message to a device is Olm-encrypted. */
export const areEncrypted = (body: Json): boolean =>
  isObject(body.messages) &&
  Object.values(body.messages).every(
    devices =>
      isObject(devices) &&
      Object.values(devices).every(m => isObject(m) && m.algorithm === 'm.olm.v1.curve25519-aes-sha2'),
  )

/** The draft as the page encrypts it: short strings and numbers under flat keys. */
export const isDraft = (body: Json): boolean =>
  Object.values(body).every(v => typeof v === 'string' || typeof v === 'number')

const pageSizes = { least: 1, usual: 30, most: 100 }
const clamp = (n: unknown): number =>
  typeof n === 'number' && Number.isInteger(n)
    ? Math.min(Math.max(n, pageSizes.least), pageSizes.most)
    : pageSizes.usual

/** The page may choose only how many events a sync brings; the choice travels in the filter's id, so that nothing is stored. */
export const filterId = (body: Json): string => {
  const timeline = isObject(body.room) && isObject(body.room.timeline) ? body.room.timeline : {}
  return `wardroom-${clamp(timeline.limit)}`
}

const limitOf = (filter: string | null): number => {
  const id = /^wardroom-(\d{1,3})$/.exec(filter ?? '')?.[1]
  if (id) return clamp(Number(id))
  try {
    const inline: unknown = JSON.parse(filter ?? '')
    return isObject(inline) ? clamp(Number(filterId(inline).slice(9))) : pageSizes.usual
  } catch {
    return pageSizes.usual
  }
}

/** The filter that every sync has, whatever the page asked for: its room (null: no room at all), no presence, the account data that decryption needs. */
export const syncFilter = (room: string | null, asked: string | null): string =>
  JSON.stringify({
    presence: { types: [] },
    account_data: {
      types: [
        'm.secret_storage.*',
        'm.cross_signing.*',
        'm.megolm_backup.v1',
        'org.matrix.msc3814',
        'io.wardroom.draft',
      ],
    },
    room: {
      rooms: room === null ? [] : [room],
      include_leave: false,
      timeline: { limit: limitOf(asked) },
      account_data: { types: [] },
    },
  })

/** What of a sync's answer reaches the browser: the room, device messages, device lists, key counts, needed account data. */
export const syncForRoom = (answer: Json, room: string | null): Json => {
  const rooms = isObject(answer.rooms) ? answer.rooms : {}
  const here = (membership: string) => only(rooms[membership], id => id === room)
  const stripped = (part: Json) =>
    Object.fromEntries(
      Object.entries(part).map(([id, r]) => [id, isObject(r) ? { ...r, account_data: { events: [] } } : r]),
    )
  const data =
    isObject(answer.account_data) && Array.isArray(answer.account_data.events) ? answer.account_data.events : []
  const kept = only(answer, k =>
    [
      'next_batch',
      'to_device',
      'device_lists',
      'device_one_time_keys_count',
      'device_unused_fallback_key_types',
      'org.matrix.msc2732.device_unused_fallback_key_types',
    ].includes(k),
  )
  return {
    ...kept,
    account_data: {
      events: data.filter(e => isObject(e) && typeof e.type === 'string' && readableAccountData.test(e.type)),
    },
    rooms: { join: stripped(here('join')), leave: stripped(here('leave')), invite: {}, knock: {} },
  }
}
