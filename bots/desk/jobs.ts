import { minutes, seconds } from '../../core/domain/clock.ts'
import type { EventId, RoomId, UserId } from '../../core/domain/ids.ts'
import { permits } from '../../core/domain/roles.ts'
import { isRefusedForGood, MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { type JobHandler, type Outcome, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { archiveRoom } from '../../core/store/patients/care.ts'
import { listGrants } from '../../core/store/staff/roles.ts'
import { complianceRoom, deskRooms, directRoomWith, recordDirectRoom } from '../../core/store/staff/rooms.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import { answer } from '../framework/answer.ts'
import { type ReactJob, type RedactJob, type SayJob, say } from '../framework/say.ts'
import { tellOfExport } from '../records/export-told.ts'
import { alertSentence, type DeskAlert } from './alerts.ts'
import { complianceJobs, noteName } from './compliance.ts'
import type { DeskDeps } from './deps.ts'
import { lookAtDevices } from './devices.ts'
import { content } from './message-content.ts'
import { pageCardJobs } from './page-cards.ts'
import { askSender } from './page-questions.ts'
import { pinJobs } from './pins.ts'
import { directTopic, ensureDeskRoom, leave, membersOf, remove } from './rooms.ts'

const done: Outcome = { kind: 'done' }

/** A room that threw the bot out, or an event that is gone: given up visibly at once instead of being tried for hours. */
const givingUp =
  (handler: JobHandler): JobHandler =>
  async (job, ctx) => {
    try {
      return await handler(job, ctx)
    } catch (e) {
      if (e instanceof MatrixRefusal && (e.status === 403 || e.status === 404))
        return { kind: 'failed', reason: `${e.status} ${e.errcode}` }
      throw e
    }
  }

/** The bot's own direct chat with a person, made where there is none; it is recorded when its first event is taken in (`noteOwnDirects`), or here. */
const openDirect = async (d: DeskDeps, user: UserId): Promise<RoomId> => {
  const roomId = await d.bot.createDirect(user, () => directTopic(d))
  const known = await directRoomWith(d.store.db, d.bot.userId, user)
  if (known?.roomId === roomId) return roomId
  await transact(d.store, tx => recordDirectRoom(tx, { roomId, peer: user, createdBy: d.bot.userId }))
  // Somebody who joins from now on is greeted when the event comes; who was faster is greeted here (the key makes it one).
  if ((await membersOf(d, roomId)).includes(user)) await transact(d.store, tx => greet(tx, roomId, user))
  return roomId
}

/** The first words in a direct chat, once, in a lane of their own: they wait until the person can read them, and nothing waits for them. */
export const greet = async (tx: Tx, roomId: RoomId, user: UserId): Promise<void> => {
  const key = `greet:${roomId}:${user}`
  await tx.enqueue({ queue: 'bots', kind: 'desk.greet', key, lane: key, payload: { room: roomId, user } })
}

const greeting =
  'I am Wardroom. I obey commands here, and what you write to me is encrypted. Write !help to see what I can do.'

/** `desk.greet`: said when the person has a device that their identity has signed; what was sent before, that device could never read. */
const greetReader =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { room, user } = job.payload as { room: RoomId; user: UserId }
    if (!(await membersOf(d, room)).includes(user)) return done
    const age = d.store.clock.now() - job.createdAt
    if (!(await d.bot.hasReader(user)))
      return { kind: 'retry', after: age < minutes(5) ? seconds(1) : minutes(1), reason: 'no device that may read yet' }
    await d.bot.send(room, 'm.room.message', content({ text: greeting }), {
      txnId: txnIdFor(job.id, 'say'),
    })
    return done
  }

/** `bot.say`: an encrypted message to a person's direct chat or a room. */
const speak =
  (d: DeskDeps): JobHandler =>
  async job => {
    const order = job.payload as SayJob
    const { to } = order
    const roomId = 'user' in to ? await openDirect(d, to.user as UserId) : (to.room as RoomId)
    await d.bot.send(roomId, 'm.room.message', content(order), { txnId: txnIdFor(job.id, 'say') })
    return done
  }

/** `bot.react` */
const mark =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { room, event, key } = job.payload as ReactJob
    await d.bot.react(room as RoomId, event as EventId, key, { txnId: txnIdFor(job.id, 'react') })
    return done
  }

/** `bot.redact`: takes away a command that held patient data; where the bot has no power to, it says so. */
const redact =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { room, event, thread } = job.payload as RedactJob
    try {
      await d.bot.redact(room as RoomId, event as EventId, { txnId: txnIdFor(job.id, 'redact') })
      return done
    } catch (e) {
      if (!(e instanceof MatrixRefusal && e.status === 403)) throw e
      const sorry = answer(
        'Your message held patient data or a secret and I could not remove it, because I have no power in this chat. Please remove it yourself, and write such commands in the chat that I opened with you.',
      )
      return { kind: 'done', apply: tx => say(tx, `not-redacted:${event}`, { room }, sorry, thread) }
    }
  }

/** `bot.join`: a direct chat that a person of the clinic opened. */
const join =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { room, peer } = job.payload as { room: RoomId; peer: UserId }
    try {
      await d.bot.join(room)
    } catch (e) {
      // The invitation was taken back; it is recorded anew with the next.
      if (!isRefusedForGood(e)) throw e
      return { kind: 'done', apply: tx => archiveRoom(tx, room) }
    }
    return {
      kind: 'done',
      apply: async tx => {
        await recordDirectRoom(tx, { roomId: room, peer, createdBy: peer })
        await greet(tx, room, peer)
      },
    }
  }

/** `bot.leave` */
const decline =
  (d: DeskDeps): JobHandler =>
  async job => {
    await leave(d, (job.payload as { room: string }).room)
    return done
  }

/** `desk.room` */
const makeRoom =
  (d: DeskDeps): JobHandler =>
  async job => {
    await ensureDeskRoom(d, (job.payload as { unit: string }).unit)
    return done
  }

/** `desk.alert`: something that the desk must look at, in the unit's desk room (else the main one). */
const alert =
  (d: DeskDeps): JobHandler =>
  async job => {
    const what = job.payload as DeskAlert
    const rooms = await deskRooms(d.store.db)
    const room = rooms.find(r => r.unit === (what.unit ?? 'main')) ?? rooms[0]
    if (!room) return { kind: 'retry', after: 2000, reason: 'no desk room yet' }
    await d.bot.send(room.roomId, 'm.room.message', content({ text: alertSentence(what) }), {
      txnId: txnIdFor(job.id, 'alert'),
    })
    return done
  }

/** `desk.follow-role`: a person's desk rooms, the compliance room and the direct chat as their roles are now. */
const followRole =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { user } = job.payload as { user: UserId }
    const held = (await listGrants(d.store.db, { userId: user })).filter(g => g.suspendedAt === null).map(g => g.role)
    for (const { roomId } of await deskRooms(d.store.db)) {
      if (!permits(held, ['desk'])) await remove(d, roomId, user)
      else if (!(await membersOf(d, roomId)).includes(user)) await d.bot.invite(roomId, user)
    }
    const compliance = await complianceRoom(d.store.db)
    if (compliance && !permits(held, ['compliance'])) await remove(d, compliance, user)
    else if (compliance && !(await membersOf(d, compliance)).includes(user)) await d.bot.invite(compliance, user)
    if (held.length > 0) await noteName(d, user)
    if (held.length > 0) await openDirect(d, user)
    return done
  }

/** Every job of the queue `bots`. */
export const deskJobs = (d: DeskDeps): Record<string, JobHandler> => ({
  'bot.say': givingUp(speak(d)),
  'bot.react': givingUp(mark(d)),
  'bot.redact': givingUp(redact(d)),
  'bot.join': givingUp(join(d)),
  'bot.leave': decline(d),
  'desk.greet': givingUp(greetReader(d)),
  'desk.room': makeRoom(d),
  'desk.alert': givingUp(alert(d)),
  'desk.follow-role': givingUp(followRole(d)),
  'desk.devices': lookAtDevices(d),
  'desk.export-told': tellOfExport(d),
  ...pageCardJobs(d, user => openDirect(d, user)),
  'page.ask': givingUp(askSender(d, user => openDirect(d, user))),
  ...complianceJobs(d),
  ...pinJobs(d),
})
