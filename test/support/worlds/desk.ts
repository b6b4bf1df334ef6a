import { randomBytes } from 'node:crypto'
import { startBots } from '../../../bots/main.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import type { Role } from '../../../core/domain/roles.ts'
import { createLog } from '../../../core/log.ts'
import { secret } from '../../../core/secret.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import { systemClock } from '../../../core/system.ts'
import type { Clinician } from '../clinician.ts'
import { database, type TestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import { stack } from '../stack.ts'

/** The desk bot on the real homeserver and a fresh database, in this process. One at a time: it listens where the homeserver pushes. */
export type Desk = {
  bot: UserId
  store: StoreDeps
  /** For another service on the same database. */
  database: Pick<TestDatabase, 'url' | 'keys' | 'recovery' | 'dump'>
  /** Gives a person a role pinned to their present identity, as two administrators would. */
  grant(person: Clinician, ...roles: Role[]): Promise<void>
  /** The direct chat that the bot opened with a person, once both are in it. */
  chatWith(person: Clinician): Promise<string>
  /** Writes to the bot and waits for its answer in the thread. */
  ask(
    person: Clinician,
    roomId: string,
    text: string,
  ): Promise<{ eventId: string; body: string; html: string; mark: string }>
  stop(): Promise<void>
}

export const desk = async (options: { firstAdmin?: string; settings?: Record<string, string> } = {}): Promise<Desk> => {
  const { synapse, registrations, ports } = await stack()
  const d = await database()
  const store: StoreDeps = { ...d.store, clock: systemClock }
  const running = await startBots({
    databaseUrl: secret(d.url),
    homeserver: { url: synapse.url, serverName: synapse.serverName },
    registration: registrations.bots,
    keys: d.keys,
    publicUrl: 'https://chat.clinic.example',
    adminUrl: 'https://admin.clinic.example',
    listen: { bots: { host: '127.0.0.1', port: ports.bots } },
    firstAdmin: options.firstAdmin,
    settings: options.settings ?? {},
    localpart: `wardroom_${randomBytes(4).toString('hex')}`,
    log: createLog('bots', process.env.WARDROOM_LOG_LEVEL ?? 'error'),
  })
  const { bot } = running
  const identityOf = async (person: Clinician) =>
    (await person.client.getCrypto()?.getUserCrossSigningKeys(person.userId))?.master_key?.keys
  return {
    bot,
    store,
    database: d,
    grant: async (person, ...roles) => {
      const identity = Object.values((await identityOf(person)) ?? {})[0] ?? null
      await transact(store, async tx => {
        for (const role of roles)
          await grantRole(tx, { userId: person.userId as UserId, role, by: 'configuration', identity })
      })
    },
    chatWith: person =>
      eventually(
        () =>
          person.client
            .getRooms()
            .find(r => r.getMyMembership() === 'join' && r.getCreator() === bot && r.getDMInviter() === bot)?.roomId,
        { timeout: 60_000, what: `the bot's chat with ${person.userId}` },
      ),
    ask: async (person, roomId, text) => {
      const eventId = await person.send(roomId, text)
      const said = await person.waitFor(s => s.sender === bot && s.thread === eventId && s.body !== '', {
        what: `the answer to ${text.split(' ').slice(0, 2).join(' ')}`,
      })
      const mark = await person.waitFor(s => s.sender === bot && s.relatesTo === eventId && s.reaction !== undefined, {
        what: 'the mark',
      })
      return { eventId, body: said.body, html: said.html ?? '', mark: mark.reaction ?? '' }
    },
    stop: async () => {
      await running.stop()
      await d.drop()
    },
  }
}
