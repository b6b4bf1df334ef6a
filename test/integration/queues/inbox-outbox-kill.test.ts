import { expect } from 'chai'
import type { RawEvent } from '../../../core/store/queues/inbox.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { ownPostgres } from '../../support/own-postgres.ts'
import { type Peer, testPeer } from '../../support/peer.ts'
import { childWorker } from '../../support/processes/child-worker.ts'
import { startWorker, type WorkerOptions } from '../../support/processes/worker-process.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'

const random = seededRandom('inbox-outbox-kill')
const long = process.env.WARDROOM_LONG === '1'
const canary = 'Ihre Biopsie ist unauffällig, Frau Müller 🌻'

const message = (id: string, room: string): RawEvent => ({
  event_id: id,
  room_id: room,
  type: 'm.room.message',
  sender: '@ann:test',
  origin_server_ts: 1,
  content: { msgtype: 'm.text', body: canary },
})

/** As a homeserver sends: one transaction after the other, each repeated until it is answered 200. */
const homeserver = (port: number, hsToken: string) => {
  let txn = 0
  const put = (id: number, events: RawEvent[], signal?: AbortSignal) =>
    fetch(`http://127.0.0.1:${port}/_matrix/app/v1/transactions/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${hsToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
      signal,
    })
  return {
    put,
    send: async (events: RawEvent[]) => {
      const id = ++txn
      await eventually(async () => (await put(id, events, AbortSignal.timeout(2000))).status === 200, {
        timeout: 60_000,
        what: `transaction ${id}`,
      })
    },
  }
}

describe('what is killed or restarted loses nothing and does nothing twice', function () {
  this.timeout(120_000) // child processes start slowly on a busy machine
  let d: TestDatabase
  let peer: Peer
  const endings: (() => Promise<void>)[] = []
  let options: WorkerOptions
  const open = async (url?: string) => {
    d = await database({ url })
    endings.push(d.drop)
    peer = await testPeer()
    endings.push(peer.stop)
    options = { url: d.url, keys: d.keys, hsToken: 'hs', port: await freePort(), peerUrl: peer.url }
  }
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end()
  })
  const child = async (more: Partial<WorkerOptions> = {}) => {
    const c = await childWorker({ ...options, ...more })
    endings.push(c.kill)
    return c
  }
  const audited = async (action: string): Promise<string[]> =>
    (await d.store.db('audit_queue').where({ action }).orderBy('id')).map(r => r.object.id)
  const each = (ids: string[]) => [...ids].sort()
  const allSent = (ids: string[]) =>
    eventually(async () => (await audited('text.send')).length >= ids.length, {
      timeout: 60_000,
      what: 'every message',
    })

  it('kill -9 between the commit and the 200', async () => {
    await open()
    const first = await child({ silentAfterCommit: true })
    const hs = homeserver(options.port, options.hsToken)
    const events = ['$1', '$2', '$3'].map(id => message(id, '!a:test'))
    const unanswered = hs.put(1, events).catch(() => 'no answer')
    await eventually(() => first.output().includes('committed'))
    await first.kill()
    expect(await unanswered).to.equal('no answer')
    await child()
    await hs.send(events)
    await allSent(['$1', '$2', '$3'])
    expect(await audited('message.notice')).to.deep.equal(['$1', '$2', '$3'])
    expect(peer.accepted()).to.deep.equal(['$1', '$2', '$3'])
  })

  it('kill -9 after the provider has accepted a message and before that is written', async () => {
    await open()
    const first = await child()
    peer.beforeAnswer(async () => {
      await first.kill()
    })
    await transact(d.store, tx => tx.enqueue({ queue: 'sms', kind: 'say', payload: { ref: 'M1' } }))
    await eventually(() => peer.count('M1') === 1)
    await first.kill()
    expect(await audited('text.send')).to.deep.equal([])
    peer.beforeAnswer(() => undefined)
    await child()
    await allSent(['M1'])
    expect(peer.accepted()).to.deep.equal(['M1'])
    expect(await audited('text.send')).to.deep.equal(['M1'])
  })

  it('kill -9 at random moments under traffic', async function () {
    this.timeout(long ? 600_000 : 120_000)
    await open()
    const kills = long ? 60 : 4
    const hs = homeserver(options.port, options.hsToken)
    const ids: string[] = []
    let killing = true
    const traffic = (async () => {
      while (killing) {
        const events = Array.from({ length: 1 + random.int(6) }, (_, i) =>
          message(`$${ids.length + i}`, `!r${random.int(4)}:test`),
        )
        ids.push(...events.map(e => e.event_id))
        await hs.send(events)
      }
    })()
    for (let i = 0; i < kills; i++) {
      const c = await child()
      await new Promise(done => setTimeout(done, random.int(300)))
      await c.kill()
    }
    killing = false
    await child()
    await traffic
    await allSent(ids)
    expect(each(await audited('message.notice'))).to.deep.equal(each(ids))
    expect(each(peer.accepted())).to.deep.equal(each(ids))
    expect(each(await audited('text.send'))).to.deep.equal(each(ids))
  })

  it('a database that is restarted, and one that is killed, in the middle', async function () {
    this.timeout(long ? 600_000 : 120_000)
    const postgres = await ownPostgres()
    endings.push(postgres.end)
    await open(postgres.url)
    const worker = await startWorker(d.store, options, testLog())
    endings.push(worker.stop)
    const hs = homeserver(options.port, options.hsToken)
    const ids: string[] = []
    let breaking = true
    const traffic = (async () => {
      while (breaking) {
        const events = Array.from({ length: 8 }, (_, i) => message(`$${ids.length + i}`, `!r${i % 5}:test`))
        ids.push(...events.map(e => e.event_id))
        await hs.send(events)
        await eventually(() => !breaking || peer.accepted().length > ids.length - 100, { timeout: 60_000 })
      }
    })()
    for (let i = 0; i < (long ? 20 : 2); i++) {
      const before = peer.accepted().length
      await eventually(() => peer.accepted().length > before + 20, { timeout: 60_000, what: 'traffic' })
      if (i % 2 === 0) await postgres.restart()
      else await postgres.kill().then(postgres.start)
    }
    breaking = false
    await traffic
    await allSent(ids)
    expect(each(await audited('message.notice'))).to.deep.equal(each(ids))
    expect(each(peer.accepted())).to.deep.equal(each(ids))
    expect(await d.store.db('inbox').whereNot({ state: 'done' })).to.deep.equal([])
  })

  it('a dump of the database shows none of the words that were in a queue', async () => {
    await open()
    const hs = homeserver(options.port, options.hsToken)
    const worker = await startWorker(d.store, options, testLog())
    await hs.send([
      message('$1', '!a:test'),
      { ...message('$2', '!a:test'), type: 'm.room.topic', content: { topic: canary } },
    ])
    await worker.stop()
    // Some that wait, some done, some parked with a note: every state of both queues.
    await transact(d.store, async tx => {
      await tx.enqueue({ queue: 'bridge', kind: 'unknown', payload: { text: canary } })
    })
    const dump = await d.dump()
    expect(dump).to.include('$1')
    for (const shown of needles(canary)) expect(dump).to.not.include(shown)
  })
})

/** How a text could show: UTF-8, JSON-escaped, base64 at each of the three alignments, hexadecimal, UTF-16. */
const needles = (text: string): string[] => {
  const bytes = Buffer.from(text)
  const base64 = [0, 1, 2].map(skip =>
    bytes
      .subarray(skip, skip + 24)
      .toString('base64')
      .slice(0, 30),
  )
  const escaped = JSON.stringify(text).slice(1, -1)
  const ascii = escaped.replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [
    text,
    'Biopsie',
    escaped,
    ascii,
    ...base64,
    ...base64.map(b => b.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    Buffer.from(text, 'utf16le').toString('base64'),
  ]
}
