import type { EventId, RoomId, UserId } from '../../core/domain/ids.ts'
import { isRefusedForGood } from '../../core/matrix/homeserver.ts'
import { setDisplayName } from '../../core/matrix/our-users.ts'
import type { RoleInviteJob, RoleReactJob, RoleSayJob } from '../../core/oncall/pages/chat-jobs.ts'
import { chatSay } from '../../core/oncall/pages/chat-jobs.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import { isPerson } from '../../core/oncall/pages/look-up.ts'
import { type JobHandler, type Outcome, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { noteChatGuest, type RolePrepareJob, roleChat, type Unwelcome } from '../../core/store/oncall/role-chats.ts'
import { transact } from '../../core/store/tx.ts'
import { content } from '../desk/message-content.ts'
import { chatTopic, greeting } from './chat-words.ts'
import type { RolesDeps } from './deps.ts'

const done: Outcome = { kind: 'done' }
const roomPath = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${rest}`

/** `role.prepare` */
const prepare =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { user, name } = job.payload as RolePrepareJob
    await d.pool.use(user as UserId, async () => setDisplayName(d.homeserver, user as UserId, name))
    return done
  }

/** Who it is and who is on duty for it now. */
const presented = (d: RolesDeps, key: string): Promise<{ name: string; onDuty: string } | undefined> =>
  transact(d.store, async tx => {
    const role = await clinicDuty.role(tx, key)
    const people: string[] = []
    for (const user of role?.on(tx.now) ?? [])
      people.push(isPerson(user) ? (await clinicDuty.person(tx, user)).name : user)
    return role && { name: role.name, onDuty: people.join(', ') }
  })

/** `role.join`: comes into a chat that somebody opened, and says what it is for and who can read it. */
const join =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { room, user } = job.payload as { room: RoomId; user: UserId }
    const chat = await roleChat(d.store.db, room)
    const is = chat && (await presented(d, chat.role))
    if (!is) return done
    try {
      await d.pool.use(user, async bot => {
        await bot.join(room)
        const text = greeting(is.name, is.onDuty)
        await bot.send(room, 'm.room.message', content({ text }), { txnId: txnIdFor(job.id, 'greet') })
      })
      const body = { topic: chatTopic(is.name) }
      await d.homeserver.request('PUT', roomPath(room, 'state/m.room.topic/'), { userId: user, body })
    } catch (e) {
      // The invitation was taken back, or whoever opened the chat kept the power to name it.
      if (!isRefusedForGood(e)) throw e
    }
    return done
  }

const reasons: Record<Unwelcome, string> = {
  'unknown-role': 'This role is not in service.',
  'not-local': 'Roles answer people of their own homeserver.',
  'not-encrypted': 'Please write to me in an encrypted chat.',
  'not-direct': 'Please write to me in a direct chat.',
  'has-a-role': 'There is another role in this chat. Please open one for each.',
}

/** `role.decline` */
const decline =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { room, user, why } = job.payload as { room: string; user: string; why: Unwelcome }
    try {
      await d.homeserver.request('POST', roomPath(room, 'leave'), { userId: user, body: { reason: reasons[why] } })
    } catch (e) {
      if (!isRefusedForGood(e)) throw e
    }
    return done
  }

/** `role.say`; where the role has been taken out of the chat, whoever opened it is told in their own. */
const speak =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { user, room, peer, text } = job.payload as RoleSayJob
    const instead: Outcome = {
      kind: 'done',
      apply: async tx => {
        await tx.enqueue({
          queue: 'bots',
          kind: 'bot.say',
          key: `role-instead:${job.id}`,
          lane: peer,
          payload: { to: { user: peer }, text },
        })
      },
    }
    if (!(await roleChat(d.store.db, room))) return instead
    try {
      await d.pool.use(user as UserId, bot =>
        bot.send(room as RoomId, 'm.room.message', content({ text }), { txnId: txnIdFor(job.id, 'say') }),
      )
      return done
    } catch (e) {
      if (isRefusedForGood(e)) return instead
      throw e
    }
  }

/** `role.react` */
const mark =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { user, room, event, key } = job.payload as RoleReactJob
    try {
      await d.pool.use(user as UserId, bot =>
        bot.react(room as RoomId, event as EventId, key, { txnId: txnIdFor(job.id, 'react') }),
      )
    } catch (e) {
      if (!isRefusedForGood(e)) throw e
    }
    return done
  }

/** `role.invite`: whoever took the page comes into the chat; the role shares the keys of what was written before (MSC4268). */
const invite =
  (d: RolesDeps): JobHandler =>
  async job => {
    const { user, room, person, ref } = job.payload as RoleInviteJob
    const chat = await roleChat(d.store.db, room)
    if (!chat) return done
    const entry = { actor: { kind: 'service', id: 'roles' }, action: 'room.invite' } as const
    const about = { object: { kind: 'room', id: room }, room, detail: { subject: person, page: ref } } as const
    try {
      await d.pool.use(user as UserId, bot => bot.invite(room as RoomId, person as UserId))
    } catch (e) {
      if (!isRefusedForGood(e)) throw e
      return {
        kind: 'done',
        apply: async tx => {
          await tx.audit({ ...entry, ...about, outcome: 'failed', reason: 'no-power' })
          await tx.enqueue(
            chatSay(chat, `role-cannot-invite:${job.id}`, `${ref}: I may not invite here. Please invite ${person}.`),
          )
        },
      }
    }
    return {
      kind: 'done',
      apply: async tx => {
        await noteChatGuest(tx, room, person)
        await tx.audit({ ...entry, ...about, outcome: 'done' })
      },
    }
  }

/** Every job of the queue `roles`. */
export const roleJobs = (d: RolesDeps): Record<string, JobHandler> => ({
  'role.prepare': prepare(d),
  'role.join': join(d),
  'role.decline': decline(d),
  'role.say': speak(d),
  'role.react': mark(d),
  'role.invite': invite(d),
})
