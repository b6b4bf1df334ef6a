import { randomBytes } from 'node:crypto'
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { openGhosts } from '../../../appservice/ghosts/intents.ts'
import { type KeeperClient, keeperClient } from '../../../appservice/keeper/client.ts'
import { startKeeper } from '../../../appservice/keeper/keeper.ts'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import { generateKeys } from '../../../core/keys.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'
import type { Session, VerifyAnswer } from '../../../web/contract.ts'
import { database, type TestDatabase } from '../database.ts'
import { stack } from '../stack.ts'
import { testLog } from '../test-log.ts'
import { type Enrolled, enrolled, linkFor } from './enrolled.ts'
import { type Browser, type PublicServer, publicServer } from './public-http.ts'

/** The patient's side of the bridge on the real homeserver: public HTTP, keeper, a fresh database; rooms and ghosts made by hand, without encryption. */
export type PageWorld = {
  db: TestDatabase
  server: PublicServer
  homeserver: Homeserver
  keeper: KeeperClient
  /** A patient with a ghost and a room, in which these users are as well. */
  patient(members?: { userId: string; accessToken: string }[]): Promise<Enrolled & { owner: UserId }>
  /** The right birth date in a new browser, or in the given one. */
  signIn(p: Enrolled, browser?: Browser): Promise<{ browser: Browser; session: Session; token: string }>
  /** The devices that the homeserver has of a ghost. */
  devices(ghost: string): Promise<string[]>
  stop(): Promise<void>
}

export const pageWorld = async (): Promise<PageWorld> => {
  const { synapse, ghosts: tokens, registrations } = await stack()
  const db = await database()
  const homeserver = createHomeserver({ url: synapse.url, asToken: secret(tokens.asToken) })
  const ghosts = await openGhosts({
    homeserver,
    registration: registrations.ghosts,
    serverName: synapse.serverName,
  })
  const keys = await generateKeys(db.store.random)
  const shared = secret(randomBytes(16).toString('hex'))
  const running = await startKeeper({
    databaseUrl: db.url,
    releaseKey: keys.keeper,
    secret: shared,
    listen: { port: 0 },
    clock: db.store.clock,
    random: db.store.random,
    log: testLog(),
  })
  const keeper = keeperClient(running.address, shared)
  const server = await publicServer({ store: db.store, homeserver, keeper })

  const patient: PageWorld['patient'] = async (members = []) => {
    const name = randomBytes(5).toString('hex')
    const ghost = `@p_${name}:${synapse.serverName}` as UserId
    const owner = `@r_${name}:${synapse.serverName}` as UserId
    await ghosts.ensure(ghost)
    await ghosts.ensure(owner)
    const room = await ghosts.createRoom(owner, {
      preset: 'private_chat',
      invite: [ghost, ...members.map(m => m.userId)],
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
        { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'shared' } },
      ],
    })
    await ghosts.join(ghost, room as RoomId)
    for (const m of members)
      await fetch(`${synapse.url}/_matrix/client/v3/join/${encodeURIComponent(room)}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${m.accessToken}` },
        body: '{}',
      })
    return { ...(await enrolled(db.store, keys.sealing, { ghost, room })), owner }
  }

  const signIn: PageWorld['signIn'] = async (p, browser = server.browser()) => {
    const { token } = await linkFor(db.store, p)
    await browser.post('/api/link/tap', { token })
    const answer = await browser.post('/api/link/verify', { token, factor: 'birth_date', value: p.dob })
    const verified = (await answer.json()) as VerifyAnswer
    if (verified.state !== 'session') throw new Error(`no session but ${JSON.stringify(verified)}`)
    return { browser, session: verified.session, token }
  }

  const devices = async (ghost: string): Promise<string[]> => {
    const list = await homeserver.request<{ devices: { device_id: string }[] }>('GET', '/_matrix/client/v3/devices', {
      userId: ghost,
    })
    return list.devices.map(d => d.device_id)
  }

  return {
    db,
    server,
    homeserver,
    keeper,
    patient,
    signIn,
    devices,
    stop: async () => {
      await server.stop()
      await keeper.stop()
      await running.stop()
      await ghosts.stop()
      await db.drop()
    },
  }
}

/** K as a browser gets it: wrapped to its own key. */
export const fetchK = async (browser: Browser, session: Session): Promise<Uint8Array> => {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const answer = await browser.post('/api/session/key', { publicKey: await exportJWK(publicKey) }, session.csrf)
  if (!answer.ok) throw new Error(`no key: ${answer.status}`)
  const { jwe } = (await answer.json()) as { jwe: string }
  return (await compactDecrypt(jwe, privateKey)).plaintext
}
