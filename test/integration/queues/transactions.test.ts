import { expect } from 'chai'
import express from 'express'
import { pino } from 'pino'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { type Edu, transactionsRouter } from '../../../core/http/transactions.ts'
import { secret } from '../../../core/secret.ts'
import { database, type TestDatabase } from '../../support/database.ts'

const token = 'hs-token-of-this-test'
const event = (id: string, room = '!a:test', more: object = {}) => ({
  event_id: id,
  room_id: room,
  type: 'm.room.encrypted',
  sender: '@ann:test',
  origin_server_ts: 1_700_000_000_000,
  content: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'AwgA', session_id: 's', device_id: 'D', sender_key: 'k' },
  ...more,
})

describe('the transactions endpoint', () => {
  let d: TestDatabase
  let server: Listener
  const edus: Edu[] = []
  before(async function () {
    this.timeout(120_000)
    d = await database()
    const app = express().use(
      transactionsRouter({
        source: 'ghosts',
        hsToken: secret(token),
        store: d.store,
        log: pino({ level: 'silent' }),
        maxBytes: 4 * 1024 * 1024,
        onNews: async (_tx, news) => void edus.push(...news.edus),
      }),
    )
    server = await listen(app)
  })
  after(async () => {
    await server.stop()
    await d.drop()
  })
  beforeEach(() => d.store.db('inbox').delete())

  const put = (txn: string | number, body: unknown, authorization: string | undefined = `Bearer ${token}`) =>
    fetch(`${server.url}/_matrix/app/v1/transactions/${txn}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const stored = async (): Promise<string[]> => d.store.db('inbox').orderBy('id').pluck('event_id')

  it('stores a transaction before it answers 200 with an empty object', async () => {
    const response = await put(1, { events: [event('$1'), event('$2')] })
    expect(await stored()).to.deep.equal(['$1', '$2'])
    expect(response.status).to.equal(200)
    expect(await response.json()).to.deep.equal({})
  })

  it('takes the same transaction twice, and the same event under another transaction id, once', async () => {
    for (const txn of [7, 7, 8]) expect((await put(txn, { events: [event('$1')] })).status).to.equal(200)
    expect((await put(9, { events: [event('$1'), event('$1'), event('$2')] })).status).to.equal(200)
    expect(await stored()).to.deep.equal(['$1', '$2'])
  })

  it('loses nothing when the homeserver counts from 1 again or sends transactions out of order', async () => {
    await put(1, { events: [event('$1')] })
    await put(1, { events: [event('$2')] })
    await put(5, { events: [event('$5')] })
    await put(4, { events: [event('$4')] })
    expect(await stored()).to.deep.equal(['$1', '$2', '$5', '$4'])
  })

  it('stores 1,000 events of one transaction in their order', async () => {
    const events = Array.from({ length: 1000 }, (_, i) => event(`$e${i}`, `!r${i % 7}:test`))
    expect((await put(2, { events })).status).to.equal(200)
    expect(await stored()).to.deep.equal(events.map(e => e.event_id))
  })

  it('keeps what several senders deliver at once, each once', async () => {
    const body = { events: Array.from({ length: 50 }, (_, i) => event(`$c${i}`)) }
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => put(i, body)))
    expect(answers.map(a => a.status)).to.deep.equal(Array(8).fill(200))
    expect(await stored()).to.have.lengthOf(50)
  })

  it('refuses a missing or wrong token, also in the query', async () => {
    const missing = await put('1?access_token=hs-token-of-this-test', { events: [event('$1')] }, '')
    expect(missing.status).to.equal(401)
    const wrong = await put(1, { events: [event('$1')] }, 'Bearer wrong')
    expect(wrong.status).to.equal(403)
    expect(await wrong.json()).to.have.property('errcode', 'M_FORBIDDEN')
    expect(await stored()).to.deep.equal([])
  })

  it('answers M_TOO_LARGE to a body above the bound, and M_NOT_JSON or M_BAD_JSON to nonsense', async () => {
    const big = await put(1, { events: [event('$1', '!a:test', { content: { body: 'x'.repeat(5 * 1024 * 1024) } })] })
    expect(big.status).to.equal(413)
    expect(await big.json()).to.have.property('errcode', 'M_TOO_LARGE')
    expect(await (await put(1, '{"events": [')).json()).to.have.property('errcode', 'M_NOT_JSON')
    expect(await (await put(1, { events: 'none' })).json()).to.have.property('errcode', 'M_BAD_JSON')
    expect(await stored()).to.deep.equal([])
  })

  it('takes odd events without letting them block the transaction', async () => {
    const odd = { ...event('$odd'), sender: 'a\0b', origin_server_ts: 1e300, content: { body: '\0\ud800' } }
    expect((await put(1, { events: [odd, null, 7, { type: 'x' }, event('$2')] })).status).to.equal(200)
    expect(await stored()).to.deep.equal(['$odd', '$2'])
  })

  it('takes no event for one that was sent later than it came', async () => {
    const now = Date.now()
    const times = [now - 1000, now + 60_000, now + 3_600_000, Number.MAX_SAFE_INTEGER, 'soon']
    await put(1, { events: times.map((at, n) => ({ ...event(`$${n}`), origin_server_ts: at })) })
    const rows: { at: number }[] = await d.store.db('inbox').orderBy('id').select({ at: 'origin_server_ts' })
    expect(rows.slice(0, 2).map(r => r.at)).to.deep.equal(times.slice(0, 2))
    for (const { at } of rows.slice(2)) expect(at).to.be.within(now, now + 60_000)
  })

  it('hands receipts to its caller under both names of the field', async () => {
    const edu = { type: 'm.receipt', room_id: '!a:test', content: {} }
    await put(1, { events: [], ephemeral: [edu] })
    await put(2, { events: [], 'de.sorunome.msc2409.ephemeral': [edu] })
    expect(edus).to.deep.equal([edu, edu])
  })

  it('answers a ping, and knows no user or alias on demand', async () => {
    const ask = (method: string, path: string) =>
      fetch(server.url + path, { method, headers: { authorization: `Bearer ${token}` } })
    expect((await ask('POST', '/_matrix/app/v1/ping')).status).to.equal(200)
    expect((await ask('GET', '/_matrix/app/v1/users/@x:test')).status).to.equal(404)
    expect((await ask('GET', '/_matrix/app/v1/rooms/%23x:test')).status).to.equal(404)
  })
})
