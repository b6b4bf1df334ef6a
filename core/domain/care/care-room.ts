/** The state of a new care room, as `createRoom` takes it. Pure; see the Matrix client-server API, room version 11. */
export type CareRoomOptions = {
  name: string
  topic: string
  avatar: string | null
  invite: string[]
  parent: string | null
  via: string
}

/** Power: only the room's owner (100) changes state; a clinician may invite, because only a clinician's own client shares the history (MSC4268). */
export const careRoomPower = {
  users_default: 0,
  events_default: 0,
  state_default: 100,
  ban: 100,
  kick: 100,
  redact: 50,
  invite: 0,
  events: {
    'm.room.name': 100,
    'm.room.topic': 100,
    'm.room.encryption': 100,
    'm.room.history_visibility': 100,
    'm.room.power_levels': 100,
    'm.reaction': 0,
    'm.room.redaction': 0,
    'org.matrix.msc3401.call.member': 0,
  },
}

export const careRoom = (o: CareRoomOptions): Record<string, unknown> => ({
  preset: 'private_chat',
  visibility: 'private',
  room_version: '11',
  name: o.name,
  topic: o.topic,
  invite: o.invite,
  power_level_content_override: careRoomPower,
  initial_state: [
    {
      type: 'm.room.encryption',
      state_key: '',
      content: { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 604_800_000, rotation_period_msgs: 100 },
    },
    { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'shared' } },
    { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
    ...(o.avatar ? [{ type: 'm.room.avatar', state_key: '', content: { url: o.avatar } }] : []),
    ...(o.parent ? [{ type: 'm.space.parent', state_key: o.parent, content: { via: [o.via], canonical: true } }] : []),
  ],
})

/** Says it in both languages that the page speaks: nobody may write here and not know it. */
export const careRoomTopic = 'The patient reads this room · El paciente lee esta sala'

/** `main` → `@r_unit_main:server`: the owner of a unit's Space. Lower-case letters, digits and dashes. */
export const unitSlug = (unit: string): string =>
  unit
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40) || 'main'
