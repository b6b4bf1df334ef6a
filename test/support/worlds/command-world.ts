import { commands as allCommands } from '../../../bots/commands/index.ts'
import type { Command, Standing } from '../../../bots/framework/command.ts'
import { planCommand } from '../../../bots/framework/run-command.ts'
import type { SayJob } from '../../../bots/framework/say.ts'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import type { Role } from '../../../core/domain/roles.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import type { KnownRoom } from '../../../core/store/staff/rooms.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../database.ts'

export type Said = { body: string; html: string; mark: string; redacted: boolean }

type Options = { identity?: string | null; room?: KnownRoom; attempts?: number; eventId?: string }

/** Commands as people give them, on a real database, without a homeserver: identities are names here. */
export type CommandWorld = {
  db: TestDatabase
  /** A person with these roles, pinned to the identity `key of <name>`. */
  person(name: string, ...roles: Role[]): Promise<UserId>
  ask(who: UserId, text: string, options?: Options): Promise<Said>
  /** Somebody's standing in a room from now on; otherwise they are not in it, nor is the bot. */
  inRoom(room: string, who: UserId, standing?: Partial<Standing>): void
  /** What the bot has been told to say to a person beside the answers. */
  toldTo(who: UserId): Promise<string[]>
  /** What the bot has been told to say in a room. */
  saidIn(room: string): Promise<string[]>
  audit(action: string): Promise<Record<string, unknown>[]>
}

const nameOf = (user: string) => user.slice(1, user.indexOf(':'))

export const commandWorld = async (commands: readonly Command[] = allCommands): Promise<CommandWorld> => {
  const db = await database()
  const { store } = db
  let n = 0
  const stranger: Standing = { member: false, mayRemove: false, botIsIn: false }
  const standings = new Map<string, Standing>()
  const jobs = async (like: string) => {
    // A job that somebody has done already has no payload any more.
    const rows = await store.db('outbox').where('key', 'like', like).whereNot({ payload: '' }).orderBy('seq')
    return Promise.all(
      rows.map(async r => ({
        kind: r.kind as string,
        payload: JSON.parse(await store.seal.open('outbox.payload', r.payload)),
      })),
    )
  }
  return {
    db,
    person: async (name, ...roles) => {
      const userId = `@${name}:clinic.example` as UserId
      await transact(store, async tx => {
        for (const role of roles) await grantRole(tx, { userId, role, by: 'configuration', identity: `key of ${name}` })
      })
      return userId
    },
    ask: async (who, text, { identity = `key of ${nameOf(who)}`, attempts = 0, ...o } = {}) => {
      const eventId = (o.eventId ?? `$event${++n}`) as EventId
      const roomId = `!chat-${nameOf(who)}:clinic.example` as RoomId
      const room = o.room ?? { roomId, class: 'direct', unit: null, peer: who, createdBy: '@wardroom:clinic.example' }
      const plan = await planCommand(
        {
          store,
          commands,
          lookups: {
            identityOf: async user => (nameOf(user) === 'nobody' ? null : `key of ${nameOf(user)}`),
            devicesOf: async () => [],
            standingIn: async (room, user) => standings.get(`${room} ${user}`) ?? stranger,
          },
          publicUrl: 'https://chat.clinic.example',
          adminUrl: 'https://admin.clinic.example',
          serverName: 'clinic.example',
          bot: '@wardroom:clinic.example' as UserId,
        },
        { eventId, roomId: room.roomId, room, sender: who, deviceId: 'DEVICE', identity, text, attempts },
      )
      if (plan) await transact(store, plan)
      const said = await jobs(`%:${eventId}`)
      const find = (kind: string) => said.find(j => j.kind === kind)?.payload
      return {
        body: (find('bot.say') as SayJob | undefined)?.text ?? '',
        html: (find('bot.say') as SayJob | undefined)?.html ?? '',
        mark: (find('bot.react') as { key: string } | undefined)?.key ?? '',
        redacted: find('bot.redact') !== undefined,
      }
    },
    inRoom: (room, who, standing) => {
      standings.set(`${room} ${who}`, { ...stranger, member: true, ...standing })
    },
    toldTo: async who =>
      (await jobs('%'))
        .filter(j => j.kind === 'bot.say' && (j.payload as { to: { user?: string } }).to.user === who)
        .map(j => (j.payload as SayJob).text),
    saidIn: async room =>
      (await jobs('%'))
        .filter(j => j.kind === 'bot.say' && (j.payload as { to: { room?: string } }).to.room === room)
        .map(j => (j.payload as SayJob).text),
    audit: action => store.db('audit_queue').where({ action }).orderBy('id'),
  }
}
