import type { RoleChat } from '../../store/oncall/role-chats.ts'
import type { NewJob } from '../../store/tx.ts'

/** `role.say`: a role's user speaks in a chat with it. */
export type RoleSayJob = { user: string; room: string; peer: string; text: string }
/** `role.react`: a role's user marks a message there. */
export type RoleReactJob = { user: string; room: string; event: string; key: string }
/** `role.invite`: whoever took a page comes into the chat, with its history (MSC4268). */
export type RoleInviteJob = { user: string; room: string; peer: string; person: string; ref: string }

const inLane = (c: RoleChat) => ({ queue: 'roles' as const, lane: c.roomId })

export const chatSay = (c: RoleChat, key: string, text: string): NewJob => ({
  ...inLane(c),
  kind: 'role.say',
  key,
  payload: { user: c.user, room: c.roomId, peer: c.peer, text } satisfies RoleSayJob,
})

export const chatReact = (c: RoleChat, key: string, event: string, mark: string): NewJob => ({
  ...inLane(c),
  kind: 'role.react',
  key,
  payload: { user: c.user, room: c.roomId, event, key: mark } satisfies RoleReactJob,
})

export const chatInvite = (c: RoleChat, key: string, person: string, ref: string): NewJob => ({
  ...inLane(c),
  kind: 'role.invite',
  key,
  payload: { user: c.user, room: c.roomId, peer: c.peer, person, ref } satisfies RoleInviteJob,
})
