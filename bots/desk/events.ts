import { hours } from '../../core/domain/clock.ts'
import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { mediaIn } from '../../core/domain/records/media.ts'
import type { Decryption } from '../../core/matrix/bot/decrypt.ts'
import { listDevices } from '../../core/matrix/bot/device-list.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { noteCareMember, noteStaffName } from '../../core/store/alerts/alert-facts.ts'
import { archiveRoom } from '../../core/store/patients/care.ts'
import { patientByRoom } from '../../core/store/patients/patients.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { noteMedia } from '../../core/store/records/media.ts'
import { listGrants } from '../../core/store/staff/roles.ts'
import { type KnownRoom, recordDirectRoom, roomById } from '../../core/store/staff/rooms.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Command } from '../framework/command.ts'
import { messageText, threadOf } from '../framework/message-text.ts'
import { type CommandDeps, type Heard, keyWait, planCommand } from '../framework/run-command.ts'
import { unheard, type Why } from '../framework/unheard.ts'
import { callByReaction } from './call-reaction.ts'
import type { DeskDeps } from './deps.ts'
import { greet } from './jobs.ts'
import { pageByReaction, pageByReply } from './page-cards.ts'
import { choiceByReaction } from './page-questions.ts'
import { peerCheckpoint } from './pins.ts'
import { recallByReaction } from './recall-reaction.ts'
import { isLocal, membersOf, standingIn } from './rooms.ts'

const ignore: Effects = { kind: 'ignore' }

type StrippedState = { type?: string }

/** Only people of the clinic who hold a role, only into an encrypted chat of two; or into the room that hospitals share for their checkpoints. */
const invitation = async (d: DeskDeps, event: InboxEvent): Promise<Effects> => {
  const room = event.roomId
  const known = await roomById(d.store.db, room)
  const state = (event.raw.unsigned?.invite_room_state ?? []) as StrippedState[]
  const encrypted = state.some(s => s.type === 'm.room.encryption')
  const direct = event.content.is_direct === true
  const live = (await listGrants(d.store.db, { userId: event.sender })).some(g => g.suspendedAt === null)
  const welcome = !known && encrypted && direct && live && isLocal(d, event.sender)
  const shared = !known && encrypted && room === (await readSettings(d.store.db))['audit.pin_room']
  const job = shared
    ? { kind: 'pins.join', payload: { room } }
    : welcome
      ? { kind: 'bot.join', payload: { room, peer: event.sender } }
      : { kind: 'bot.leave', payload: { room } }
  return {
    kind: 'done',
    apply: async tx => {
      await tx.audit({
        actor: { kind: 'user', id: event.sender },
        action: 'room.member',
        object: { kind: 'room', id: room },
        outcome: welcome || shared ? 'done' : 'refused',
        reason: welcome || shared ? undefined : !live ? 'no-role' : !encrypted ? 'not-encrypted' : 'not-direct',
        room,
      })
      // Before the bot joins: what is written to it from then on is for it.
      if (welcome) await recordDirectRoom(tx, { roomId: room, peer: event.sender, createdBy: event.sender })
      await tx.enqueue({ queue: 'bots', ...job, key: `invited:${event.eventId}`, lane: room })
    },
  }
}

/** A patient's ghost or a room's owner. */
const isOurs = (d: DeskDeps, user: string): boolean => isLocal(d, user) && /^@[pr]_/.test(user)

/** Members come and go: who of the staff is in a care room is noted, the bot greets whom it invited, and forgets a direct chat that its person has left. */
const membership = async (d: DeskDeps, event: InboxEvent): Promise<Effects> => {
  const who = event.stateKey as UserId
  const is = event.content.membership
  if (who === d.bot.userId) return is === 'invite' ? invitation(d, event) : ignore
  const room = await roomById(d.store.db, event.roomId)
  if (!isOurs(d, who) && (await patientByRoom(d.store.db, event.roomId)))
    return { kind: 'done', apply: tx => noteCareMember(tx, event.roomId, who, String(is)) }
  if (room?.class !== 'direct' || room.peer !== who) return ignore
  if (is === 'leave' || is === 'ban') return { kind: 'done', apply: tx => archiveRoom(tx, room.roomId) }
  if (is !== 'join') return ignore
  const name = event.content.displayname
  return {
    kind: 'done',
    apply: async tx => {
      // Also whoever changes their name joins once more, as Matrix sees it.
      if (typeof name === 'string') await noteStaffName(tx, who, name)
      await greet(tx, room.roomId, who)
    },
  }
}

/** Is a chat of two still one? Somebody else who was brought in must not read patient data. */
const crowded = async (d: DeskDeps, room: KnownRoom): Promise<boolean> =>
  room.class === 'direct' && (await membersOf(d, room.roomId)).some(m => m !== room.peer && m !== d.bot.userId)

const heed = async (
  d: DeskDeps,
  commands: CommandDeps,
  event: InboxEvent,
  room: KnownRoom,
  read: Decryption,
): Promise<Effects> => {
  const at = { eventId: event.eventId, roomId: event.roomId, sender: event.sender, thread: threadOf(event.content) }
  const refused = (why: Why, identity: string | null = null): Effects => ({
    kind: 'done',
    apply: tx => unheard(tx, { ...at, identity }, why),
  })
  if (room.class === 'alert' && read.kind === 'read') {
    const effects = peerCheckpoint(d, event, read)
    if (effects) return effects
  }
  // There are other hospitals' people there, whom the bot neither obeys nor answers.
  if (room.unit === 'pins' && room.class === 'alert' && (read.kind !== 'missing-key' || event.expired)) return ignore
  switch (read.kind) {
    case 'plaintext':
      return ignore
    case 'missing-key':
      if (event.expired || read.withheld) return refused('no-key')
      return { kind: 'park', reason: 'no room key', until: event.receivedAt + keyWait }
    case 'unsigned':
      if (read.reason !== 'identity-changed') return refused('unsigned')
      return refused('unsigned', (await d.bot.identityOf(event.sender)).masterKey)
    case 'forwarded':
    case 'unreadable':
      return refused('broken')
  }
  const text = messageText(read.type, read.content)
  if (text === undefined) return ignore
  const bang = text.trimStart().startsWith('!')
  // A command is obeyed on the identity as the homeserver shows it now, not as the crypto library remembers it from a moment ago.
  const identity = bang && read.masterKey !== null ? (await d.bot.identityOf(event.sender)).masterKey : read.masterKey
  const heard: Heard = { ...at, room, deviceId: read.deviceId ?? '', identity, text, attempts: event.attempts }
  if (bang && d.store.clock.now() - event.originServerTs > staleAfter) return refused('stale', identity)
  if (bang && (await crowded(d, room))) return refused('crowded', identity)
  if (!bang && room.class === 'direct' && identity !== null && !(await crowded(d, room))) {
    const answered = await pageByReply(d, event, text, read.content)
    if (answered) return answered
  }
  const apply = await planCommand(commands, heard)
  return apply ? { kind: 'done', apply } : ignore
}

/** Heeds a message, and notes which files it carries, so that they go when it goes. */
const message = async (d: DeskDeps, commands: CommandDeps, event: InboxEvent, room: KnownRoom): Promise<Effects> => {
  const read = await d.bot.decrypt(event.raw)
  const effects = await heed(d, commands, event, room, read)
  if (effects.kind === 'park' || !('content' in read)) return effects
  const media = mediaIn(read.content)
  const rest = effects.kind === 'ignore' ? undefined : effects.apply
  return {
    ...(effects.kind === 'ignore' ? { kind: 'done' } : effects),
    apply: async tx => {
      await noteMedia(tx, event.eventId, media)
      await rest?.(tx)
    },
  }
}

/** A command that waited longer than this, because the bot was away, is asked for again instead of being obeyed late. */
const staleAfter = hours(1)

/**
 * What the desk bot does with an event of any room: obeys encrypted commands in its direct chats and desk rooms, answers invitations, and leaves care rooms and
 * everything in clear alone.
 */
export const onEvent = (d: DeskDeps, commands: readonly Command[]): ((event: InboxEvent) => Promise<Effects>) => {
  const context: CommandDeps = {
    store: d.store,
    commands,
    lookups: {
      identityOf: async user => (await d.bot.identityOf(user as UserId)).masterKey,
      devicesOf: async user => {
        const users = user ? [user] : (await listGrants(d.store.db)).map(g => g.userId)
        return listDevices(d.homeserver, d.bot.userId, [...new Set(users)])
      },
      standingIn: (room, user) => standingIn(d, room, user),
    },
    publicUrl: d.publicUrl,
    adminUrl: d.adminUrl,
    serverName: d.serverName,
    bot: d.bot.userId,
  }
  return async event => {
    if (event.type === 'm.room.member') return membership(d, event)
    if (event.type === 'm.reaction')
      return (
        (await pageByReaction(d, event)) ??
        (await choiceByReaction(d, event)) ??
        (await callByReaction(d, event)) ??
        recallByReaction(d, event)
      )
    if (event.type !== 'm.room.encrypted' || event.sender === d.bot.userId) return ignore
    const room = await roomById(d.store.db, event.roomId as RoomId)
    const commanded = room?.class === 'direct' || room?.class === 'desk' || room?.class === 'alert'
    if (!room || !commanded) return ignore
    return message(d, context, event, room)
  }
}
