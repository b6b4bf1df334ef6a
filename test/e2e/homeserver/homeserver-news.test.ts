import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import type { DeskDeps } from '../../../bots/desk/deps.ts'
import { lookAtDevices } from '../../../bots/desk/devices.ts'
import { receiptsIn } from '../../../core/domain/audit/room-event.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { ensureUser } from '../../../core/matrix/our-users.ts'
import { type Deliveries, keepDeliveries } from '../../../core/matrix/ping.ts'
import { type Outbox, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { recordNews } from '../../../core/store/audit/sources/homeserver-news.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'

type Row = {
  action: string
  actor: { kind: string; id: string; device?: string }
  object: { kind: string; id: string }
  room: string | null
  detail: Record<string, unknown> | null
}

describe('the audit log of what a homeserver really sends', () => {
  let s: Stack
  let d: TestDatabase
  let server: Listener
  let deliveries: Deliveries
  let outbox: Outbox
  const log = testLog()
  before(async function () {
    this.timeout(240_000)
    s = await stack()
    d = await database()
    const homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
    const { serverName } = s.synapse
    const bot = `@wardroom_${randomBytes(4).toString('hex')}:${serverName}` as UserId
    const app = express().use(
      transactionsRouter({
        source: 'bots',
        hsToken: secret(s.bots.hsToken),
        store: d.store,
        log,
        onNews: (tx, { events, edus, deviceLists }) =>
          recordNews(tx, { events, receipts: edus.flatMap(receiptsIn), deviceLists }, serverName),
      }),
    )
    server = await listen(app, { port: s.ports.bots })
    deliveries = keepDeliveries({ homeserver, registrationId: s.registrations.bots.id, log })
    await deliveries.begin()
    await ensureUser(homeserver, bot)
    const desk = { homeserver, bot: { userId: bot }, serverName } as DeskDeps
    outbox = await startOutbox({
      queue: 'bots',
      store: d.store,
      handlers: { 'desk.devices': lookAtDevices(desk) },
      log,
    })
  })
  after(async () => {
    await deliveries?.stop()
    await outbox?.stop()
    await server?.stop()
    await d?.drop()
  })

  const logged = async (user: string): Promise<Row[]> =>
    (await d.store.db('audit_queue').orderBy('id')).filter((r: Row) => r.actor.id === user)

  it('names messages, edits, removals, receipts, comings and goings, power, and devices of people of the clinic', async function () {
    this.timeout(120_000)
    const name = randomBytes(4).toString('hex')
    const ann = await s.synapse.registerUser(`ann_${name}`)
    const bob = await s.synapse.registerUser(`bob_${name}`)
    const as = (who: { accessToken: string }): Homeserver =>
      createHomeserver({ url: s.synapse.url, asToken: secret(who.accessToken) })
    const { room_id: room } = await as(ann).request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      body: { preset: 'private_chat', invite: [bob.userId], name: 'PRIVATE NAME' },
    })
    const at = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`
    await as(bob).request('POST', `${at}/join`, { body: {} })
    let n = 0
    const send = async (content: object) =>
      (
        await as(ann).request<{ event_id: string }>('PUT', `${at}/send/m.room.encrypted/${n++}`, {
          body: {
            algorithm: 'm.megolm.v1.aes-sha2',
            ciphertext: 'PRIVATE',
            session_id: 's',
            device_id: 'ANN',
            ...content,
          },
        })
      ).event_id
    const first = await send({})
    await send({ 'm.relates_to': { rel_type: 'm.replace', event_id: first } })
    await as(bob).request('POST', `${at}/receipt/m.read/${encodeURIComponent(first)}`, { body: {} })
    await as(ann).request('PUT', `${at}/redact/${encodeURIComponent(first)}/r1`, { body: {} })
    const power = await as(ann).request<{ users: Record<string, number> }>('GET', `${at}/state/m.room.power_levels/`)
    await as(ann).request('PUT', `${at}/state/m.room.power_levels/`, {
      body: { ...power, users: { ...power.users, [bob.userId]: 50 } },
    })
    await as(bob).request('POST', `${at}/leave`, { body: {} })
    const upload = (device_id: string) => {
      const keys = {
        [`curve25519:${device_id}`]: randomBytes(32).toString('base64').replace('=', ''),
        [`ed25519:${device_id}`]: randomBytes(32).toString('base64').replace('=', ''),
      }
      const device_keys = {
        user_id: ann.userId,
        device_id,
        algorithms: ['m.olm.v1.curve25519-aes-sha2'],
        keys,
        signatures: {},
      }
      return as(ann).request('POST', '/_matrix/client/v3/keys/upload', { body: { device_keys } })
    }
    await upload(ann.deviceId)

    const mine = await eventually(
      async () => {
        const rows = await logged(ann.userId)
        return rows.some(r => r.action === 'device.change') && rows
      },
      { timeout: 60_000, what: 'the change of a device' },
    )
    const of = (rows: Row[], action: string) => rows.filter(r => r.action === action)
    expect(of(mine, 'room.create')).to.have.lengthOf(1)
    expect(of(mine, 'room.invite').map(r => r.detail?.subject)).to.deep.equal([bob.userId])
    expect(of(mine, 'message.sent').map(r => [r.object.id, r.room, r.actor.device])).to.deep.equal([
      [first, room, 'ANN'],
    ])
    expect(of(mine, 'message.edit').map(r => r.object.id)).to.deep.equal([first])
    expect(of(mine, 'message.redact').map(r => r.object.id)).to.deep.equal([first])
    expect(of(mine, 'power.change').map(r => r.detail)).to.deep.equal([
      { what: 'm.room.power_levels', raised: 1, lowered: 0 },
    ])
    expect(of(mine, 'device.change').map(r => [r.object.id, r.detail])).to.deep.equal([
      [ann.deviceId, { added: 1, removed: 0 }],
    ])
    const theirs = await eventually(async () => {
      const rows = await logged(bob.userId)
      return rows.some(r => r.action === 'room.leave') && rows.some(r => r.action === 'message.receipt') && rows
    })
    expect(
      theirs
        .filter(r => r.action !== 'device.change')
        .map(r => r.action)
        .sort(),
    ).to.deep.equal(['message.receipt', 'room.join', 'room.leave'])
    expect(of(theirs, 'message.receipt').map(r => r.object.id)).to.deep.equal([first])
    expect(JSON.stringify([...mine, ...theirs])).not.to.include('PRIVATE')

    await as(ann).request('POST', '/_matrix/client/v3/logout', { body: {} })
    await eventually(async () => of(await logged(ann.userId), 'device.change').some(r => r.detail?.removed === 1), {
      timeout: 60_000,
      what: 'the removal of a device',
    })
    expect(log.problems()).to.deep.equal([])
  })
})
