import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pace } from 'node:timers/promises'
import { expect } from 'chai'
import express from 'express'
import { type KeeperClient, keeperClient } from '../../../appservice/keeper/client.ts'
import { type Keeper, startKeeper } from '../../../appservice/keeper/keeper.ts'
import { renewalDoor } from '../../../appservice/renewal/door.ts'
import { renewDevice, sweepRenewals, waitingEvents } from '../../../appservice/renewal/renew.ts'
import { renewalRules } from '../../../core/domain/care/renewal.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { dehydratedDeviceOf, devicesOf } from '../../../core/matrix/our-users.ts'
import { stopSdkClient } from '../../../core/matrix/sdk-client.ts'
import { secret } from '../../../core/secret.ts'
import { type Ghost, ghostsToLookAt } from '../../../core/store/links/renewals.ts'
import { personById } from '../../../core/store/patients/patients.ts'
import type { VerifyAnswer } from '../../../web/contract.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'
import { linkFor } from '../../support/worlds/enrolled.ts'
import { openPage, readable } from '../../support/worlds/page-client.ts'
import { type PublicServer, publicServer } from '../../support/worlds/public-http.ts'

const long = process.env.WARDROOM_LONG === '1'
/** Clinicians' clients here are this late with every sync and key query; they are given time in proportion. */
const lagMs = long ? 1500 : 300
const settleMs = long ? 8000 : 1600

type Patient = Ghost & { dob: string }
/** Where a renewal's process is killed: at a call of its own to the bridge, before or after it was carried out, or some time later. */
type Place = { name: string; method: string; path: RegExp; nth?: number; when: 'before' | 'after'; laterMs?: number }

const dehydrated = /dehydrated_device$/
const places: Place[] = [
  { name: 'at its first sync', method: 'GET', path: /\/sync$/, when: 'after' },
  { name: 'while it reads the old device', method: 'GET', path: /\/events$/, when: 'after' },
  { name: 'before the backup has what it read', method: 'PUT', path: /room_keys\/keys$/, when: 'before' },
  { name: 'before its own keys are saved', method: 'PUT', path: /\/state$/, when: 'before' },
  { name: 'when its own keys are saved', method: 'PUT', path: /\/state$/, when: 'after' },
  { name: 'before the new device is put', method: 'PUT', path: dehydrated, when: 'before' },
  { name: 'when the new device is put', method: 'PUT', path: dehydrated, when: 'after' },
  { name: 'while it waits for the last', method: 'PUT', path: dehydrated, when: 'after', laterMs: settleMs * 0.7 },
]

/** The processes that renew, as the machine sees them. */
const renewers = (): number[] =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter(pid => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('renewal/process.ts'))

describe('renewing the dehydrated device', function () {
  this.timeout(300_000)
  let bridge: TestBridge
  let keeper: Keeper
  let keys: KeeperClient
  let server: PublicServer
  let lee: Clinician
  let door: Listener
  let kill: (Place & { seen?: number; done?: boolean }) | undefined
  let calls: string[] = []
  let stopWriting = async () => undefined as undefined
  let maria: Patient
  const log = testLog()
  const random = seededRandom('renewal')

  const strike = (place: NonNullable<typeof kill>) => {
    if (place.done) return
    place.done = true
    for (const pid of renewers()) process.kill(pid, 'SIGKILL')
  }

  before(async function () {
    this.timeout(180_000)
    bridge = await testBridge()
    lee = await clinician('lee')
    const { store, homeserver } = bridge.deps
    await bridge.grant(lee.userId)
    const app = express()
      .use((req, res, next) => {
        calls.push(`${req.method} ${req.path}`)
        const place = kill
        if (!place || place.done || req.method !== place.method || !place.path.test(req.path)) return next()
        if (place.when === 'before') return strike(place)
        res.once('finish', () => setTimeout(() => strike(place), place.laterMs ?? 0))
        next()
      })
      .use('/renewal', renewalDoor({ store, homeserver, log }))
    door = await listen(app)
    const shared = secret(randomBytes(16).toString('hex'))
    keeper = await startKeeper({
      databaseUrl: bridge.db.url,
      releaseKey: bridge.privateKeys.keeper,
      secret: shared,
      listen: { port: 0 },
      renewals: { door: `${door.url}/renewal`, settleMs },
      clock: store.clock,
      random: store.random,
      log,
    })
    keys = keeperClient(keeper.address, shared)
    server = await publicServer({ store, homeserver, keeper: keys })
  })
  after(async () => {
    await lee?.stop()
    await server?.stop()
    await keys?.stop()
    await keeper?.stop()
    await door?.stop()
    await bridge?.stop()
  })
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      console.log(
        calls,
        log.lines.filter(l => l.level >= 40),
      )
    usual()
    await stopWriting()
    kill = undefined
    calls = []
  })

  const deps = () => ({ store: bridge.deps.store, homeserver: bridge.deps.homeserver, keeper: keys, log })

  const enrol = async (): Promise<Patient> => {
    const { id, person, ghost, room, dob } = await bridge.enrol(lee)
    return { patientId: id, personId: person, ghost, roomId: room, dob }
  }

  /** Writes about three messages a second, with a new room key each, as if every one came from another device, until told to stop; gives what was sent. */
  const writing = (room: string) => {
    const sent: string[] = []
    let stopped = false
    const run = (async () => {
      for (let n = 0; !stopped; n++) {
        await lee.client.getCrypto()?.forceDiscardSession(room)
        const body = `message ${n}`
        await lee.send(room, body)
        sent.push(body)
        await pace(300)
      }
    })()
    stopWriting = async () => {
      stopped = true
      await run
    }
    return {
      sent,
      stop: async () => {
        await stopWriting()
        return sent
      },
    }
  }

  const visit = async (p: Patient, messages: readonly string[]) => {
    const person = { patient: p.patientId, person: p.personId, ghost: p.ghost, room: p.roomId, k: new Uint8Array() }
    const { token } = await linkFor(bridge.deps.store, { ...person, dob: p.dob })
    const browser = server.browser()
    const answer = await browser.post('/api/link/verify', { token, factor: 'birth_date', value: p.dob })
    const verified = (await answer.json()) as VerifyAnswer
    if (verified.state !== 'session') throw new Error(JSON.stringify(verified))
    const client = await openPage(server.url, browser, verified.session)
    try {
      while (
        client
          .getRoom(p.roomId)
          ?.getLiveTimeline()
          .getPaginationToken('b' as never)
      )
        await client.scrollback(client.getRoom(p.roomId)!, 100)
      await eventually(
        () => {
          const read = new Set(readable(client, p.roomId))
          const lost = messages.filter(m => !read.has(m))
          if (lost.length > 0)
            throw new Error(`${lost.length} of ${messages.length} are not readable: ${lost.slice(0, 5)}`)
          return true
        },
        { timeout: 60_000, interval: 250, what: 'every message at the next visit' },
      )
    } finally {
      stopSdkClient(client)
      await browser.post('/api/session/end', {}, verified.session.csrf)
    }
  }

  const slow = () => {
    lee.network.delay = path => (/\/sync$|keys\/query$/.test(path) ? lagMs : 0)
  }
  const usual = () => {
    lee.network.delay = () => 0
  }

  it('loses nothing that a slow clinician sends before, meanwhile and afterwards, and leaves one device', async () => {
    const maria = await enrol()
    const { homeserver } = bridge.deps
    const before = await dehydratedDeviceOf(homeserver, maria.ghost)
    slow()
    const writes = writing(maria.roomId)
    await eventually(() => writes.sent.length >= 3)
    expect(await waitingEvents(homeserver, maria.ghost, 300)).to.be.at.least(3)
    expect(await renewDevice(deps(), maria)).to.equal('renewed')
    const now = writes.sent.length
    await eventually(() => writes.sent.length >= now + 3)
    const sent = await writes.stop()
    usual()
    const after = await dehydratedDeviceOf(homeserver, maria.ghost)
    expect(after).to.be.a('string').and.not.equal(before)
    expect((await personById(bridge.deps.store.db, maria.personId))?.ghost).to.equal(maria.ghost)
    expect((await devicesOf(homeserver, maria.ghost)).filter(d => d !== after)).to.deep.equal([])
    expect(await waitingEvents(homeserver, maria.ghost, 300)).to.be.lessThan(sent.length)
    await visit(maria, sent)
    const told = calls.filter(c => /\/rooms\/|\/media\/|\/messages/.test(c))
    expect(told, 'no call about a room').to.deep.equal([])
  })

  const chosen = long ? places : [random.pick(places)]
  for (const place of chosen)
    it(`loses nothing when its process is killed ${place.name}`, async () => {
      const maria = await enrol()
      slow()
      const writes = writing(maria.roomId)
      await eventually(() => writes.sent.length >= 2)
      kill = { ...place }
      const first = await renewDevice(deps(), maria).catch((e: Error) => e.message)
      expect(first).to.match(/keeper answered 500/)
      expect(kill.done).to.equal(true)
      expect(renewers()).to.deep.equal([])
      const during = writes.sent.length
      await eventually(() => writes.sent.length >= during + 3, { what: 'more messages before the next attempt' })
      expect(await renewDevice(deps(), maria)).to.equal('renewed')
      const sent = await writes.stop()
      usual()
      const { homeserver } = bridge.deps
      const standing = await dehydratedDeviceOf(homeserver, maria.ghost)
      expect((await devicesOf(homeserver, maria.ghost)).filter(d => d !== standing)).to.deep.equal([])
      await visit(maria, sent)
    })

  it('is done by the sweep for a ghost with too many waiting events, in a quiet room without an open page', async () => {
    const { store, homeserver } = bridge.deps
    const maria = await enrol()
    const writes = writing(maria.roomId)
    await eventually(() => writes.sent.length >= 4)
    const sent = await writes.stop()
    const before = await dehydratedDeviceOf(homeserver, maria.ghost)
    const most = renewalRules.waiting
    renewalRules.waiting = 4
    try {
      const look = async () => {
        await store.db('renewal').where({ person_id: maria.personId }).update({ look_at: 0 })
        await sweepRenewals(deps())
        return dehydratedDeviceOf(homeserver, maria.ghost)
      }
      const others = (await ghostsToLookAt(store.db, store.clock.now(), 50)).filter(g => g.personId !== maria.personId)
      for (const g of others)
        await store.db('renewal').insert({ person_id: g.personId, look_at: 1e15 }).onConflict('person_id').merge()
      expect(await look(), 'somebody has just written').to.equal(before)
      bridge.db.store.clock.advance(renewalRules.quietMs + 1)
      expect(await look()).to.not.equal(before)
    } finally {
      renewalRules.waiting = most
    }
    const actions = await store.db('audit_queue').where({ patient: maria.patientId }).orderBy('id').pluck('action')
    const devices = actions.filter((action: string) => action.startsWith('device.'))
    expect(devices.slice(-4)).to.deep.equal(['device.create', 'device.renew', 'device.delete', 'device.create'])
    await visit(maria, sent)
  })

  it('gives a ghost whose dehydrated device is gone a new one', async () => {
    const { homeserver } = bridge.deps
    const maria = await enrol()
    await homeserver.request('DELETE', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device', {
      userId: maria.ghost,
    })
    expect(await waitingEvents(homeserver, maria.ghost, 300)).to.equal(null)
    expect(await renewDevice(deps(), maria)).to.equal('renewed')
    expect(await dehydratedDeviceOf(homeserver, maria.ghost)).to.be.a('string')
    await lee.client.getCrypto()?.forceDiscardSession(maria.roomId)
    await eventually(() => lee.client.getRoom(maria.roomId))
    await lee.send(maria.roomId, 'Are you there?')
    await visit(maria, ['Are you there?'])
  })

  it('shows its process no room, and a stranger nothing', async () => {
    maria = await enrol()
    const at = (path: string, bearer?: string) =>
      fetch(
        `${door.url}/renewal/${maria.personId}${path}`,
        bearer ? { headers: { authorization: `Bearer ${bearer}` } } : {},
      )
    const sync = '/_matrix/client/v3/sync'
    expect((await at(sync)).status).to.equal(401)
    expect((await at(sync, randomBytes(32).toString('base64url'))).status).to.equal(401)
    const seen: Record<string, { status: number; body: Record<string, unknown> }> = {}
    const peek: Pick<KeeperClient, 'renew'> = {
      renew: async ({ bearer }) => {
        const room = encodeURIComponent(maria.roomId)
        for (const path of [
          sync,
          `/_matrix/client/v3/rooms/${room}/messages`,
          '/_matrix/client/v3/joined_rooms',
          '/state',
        ]) {
          const answer = await at(path, bearer)
          seen[path] = { status: answer.status, body: (await answer.json().catch(() => ({}))) as never }
        }
        return { refused: 'looked' }
      },
    }
    expect(await renewDevice({ ...deps(), keeper: peek }, maria)).to.equal('refused')
    expect(seen[sync]?.status).to.equal(200)
    expect(seen[sync]?.body.rooms).to.deep.equal({ join: {}, leave: {}, invite: {}, knock: {} })
    expect(Object.values(seen).map(s => s.status)).to.deep.equal([200, 403, 403, 404])
    expect(await devicesOf(bridge.deps.homeserver, maria.ghost)).to.have.lengthOf.at.most(1)
  })

  it('is refused by the keeper while the page is open, and for an attempt that nobody wrote down', async () => {
    const stranger = await keys.renew({ personId: maria.personId, bearer: randomBytes(32).toString('base64url') })
    expect(stranger).to.deep.equal({ refused: 'unknown' })
    const person = { patient: maria.patientId, person: maria.personId, ghost: maria.ghost, room: maria.roomId }
    const { token } = await linkFor(bridge.deps.store, { ...person, k: new Uint8Array(), dob: maria.dob })
    await server.browser().post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    expect(await renewDevice(deps(), maria)).to.equal('refused')
    expect(renewers()).to.deep.equal([])
  })
})
