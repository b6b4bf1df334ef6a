import { expect } from 'chai'
import express from 'express'
import { modules } from '../../../config/synapse/homeserver.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { type Deliveries, keepDeliveries } from '../../../core/matrix/ping.ts'
import { type Inbox, startInbox } from '../../../core/queues/inbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'

describe('events that were sent while we were away', () => {
  let s: Stack
  let d: TestDatabase
  let server: Listener | undefined
  let inbox: Inbox | undefined
  let deliveries: Deliveries | undefined
  before(async function () {
    this.timeout(240_000)
    s = await stack()
    d = await database()
  })
  after(async () => {
    await deliveries?.stop()
    await inbox?.stop()
    await server?.stop()
    await d?.drop()
  })

  it('arrive promptly after a start, all of them, once and in order, although the homeserver had begun to wait long', async function () {
    this.timeout(120_000)
    const ann = await s.synapse.registerUser(`ann${Date.now()}`)
    const asAnn = createHomeserver({ url: s.synapse.url, asToken: secret(ann.accessToken) })
    // Turns every transaction away, as a service does that has lost its database: the homeserver doubles its wait each time.
    let refused = 0
    const away = await listen(
      express().use((_req, res) => {
        refused++
        res.status(503).json({ errcode: 'M_UNKNOWN' })
      }),
      { port: s.ports.bots },
    )
    const room = await asAnn.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      body: { name: 'x' },
    })
    const send = async (n: number) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.room_id)}/send/m.room.encrypted/${n}`
      const content = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: `n${n}`, session_id: 's' }
      return (await asAnn.request<{ event_id: string }>('PUT', path, { body: content })).event_id
    }
    const sent: string[] = []
    for (let n = 0; n < 12; n++) sent.push(await send(n))
    // Waits of 2 s and 4 s are over, the one of 8 s has begun.
    await eventually(() => refused >= 3, { timeout: 60_000, what: 'the third refusal' })
    const from = performance.now()
    await away.stop()

    const log = testLog()
    const handled: string[] = []
    const of = { source: 'bots', store: d.store, log } as const
    inbox = await startInbox({
      ...of,
      handle: async e => {
        if (e.roomId === room.room_id && e.type === 'm.room.encrypted') handled.push(e.eventId)
        return { kind: 'ignore' }
      },
    })
    server = await listen(express().use(transactionsRouter({ ...of, hsToken: secret(s.bots.hsToken) })), {
      port: s.ports.bots,
    })
    deliveries = keepDeliveries({
      homeserver: createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) }),
      registrationId: s.registrations.bots.id,
      log,
    })
    await deliveries.begin()
    await eventually(() => handled.length >= sent.length, { timeout: 60_000, what: 'the events' })
    expect(performance.now() - from).to.be.below(7500)
    sent.push(await send(100))
    await eventually(() => handled.length >= sent.length)
    expect(handled).to.deep.equal(sent)
    expect(log.problems()).to.deep.equal([])
  })

  it('arrive although the homeserver was killed while it delivered them', async function () {
    this.timeout(180_000)
    await deliveries?.stop()
    await inbox?.stop()
    await server?.stop()
    const got: string[] = []
    const delivering: string[] = []
    let hangs = true
    server = await listen(
      express().put('/_matrix/app/v1/transactions/:id', express.json(), (req, res) => {
        const ids = (req.body.events as { event_id: string }[]).map(event => event.event_id)
        if (hangs) return void delivering.push(...ids)
        got.push(...ids)
        res.json({})
      }),
      { port: s.ports.bots },
    )
    const bob = await s.synapse.registerUser(`bob${Date.now()}`)
    const asBob = createHomeserver({ url: s.synapse.url, asToken: secret(bob.accessToken) })
    const { room_id } = await asBob.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      body: { name: 'x' },
    })
    const say = async (n: number) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/send/m.room.encrypted/${n}`
      const body = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'n', session_id: 's' }
      return (await asBob.request<{ event_id: string }>('PUT', path, { body })).event_id
    }
    await eventually(() => delivering.length > 0, { timeout: 60_000, what: 'the first delivery' })
    // Some are in a transaction that is on its way, one waits behind it.
    const [onItsWay, waiting] = [delivering, [await say(1)]]
    const have = (ids: string[]) => eventually(() => ids.every(id => got.includes(id)), { timeout: 60_000 })
    await s.synapse.kill()
    hangs = false
    // Nobody says anything: nothing new can take them along.
    await s.synapse.start({ modules: modules({ again_seconds: 0 }) })
    await have(onItsWay)
    expect(got).not.to.include.members(waiting)
    await s.synapse.restart({ modules: modules() })
    await have(waiting)
  })
})
