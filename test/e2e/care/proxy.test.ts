import { randomBytes } from 'node:crypto'
import { get, request } from 'node:http'
import { expect } from 'chai'
import { routes } from '../../../appservice/http/proxy/matrix-routes.ts'
import type { Session } from '../../../web/contract.ts'
import { eventually } from '../../support/eventually.ts'
import { stack } from '../../support/stack.ts'
import { unrecorded } from '../../support/unrecorded.ts'
import { type Enrolled, notice, noticeStates } from '../../support/worlds/enrolled.ts'
import { type PageWorld, pageWorld } from '../../support/worlds/patient-page.ts'
import type { Browser } from '../../support/worlds/public-http.ts'

const e = encodeURIComponent
const megolm = {
  algorithm: 'm.megolm.v1.aes-sha2',
  ciphertext: 'AwgAEpABqOCAaP6NXYfyDdxc',
  sender_key: 'k',
  device_id: 'D',
  session_id: 's',
}

type Signed = Enrolled & { browser: Browser; session: Session }
type Clinician = { userId: string; accessToken: string }

describe('the Matrix proxy', function () {
  this.timeout(120_000)
  let w: PageWorld
  let ann: Clinician
  let stranger: Clinician
  let maria: Signed
  let jose: Signed

  before(async function () {
    this.timeout(180_000)
    w = await pageWorld()
    const { synapse } = await stack()
    ann = await synapse.registerUser(`ann-${randomBytes(3).toString('hex')}`)
    stranger = await synapse.registerUser(`stranger-${randomBytes(3).toString('hex')}`)
    const signed = async (): Promise<Signed> => {
      const p = await w.patient([ann])
      return { ...p, ...(await w.signIn(p)) }
    }
    maria = await signed()
    jose = await signed()
  })
  after(() => w?.stop())

  const call = (who: Signed, method: string, path: string, more: Parameters<Browser['call']>[2] = {}) =>
    who.browser.call(method, path, { bearer: who.session.csrf, ...more })
  const json = async (answer: Promise<Response>) => (await answer).json() as Promise<Record<string, unknown>>
  const sendPath = (room: string, txn: string) => `/_matrix/client/v3/rooms/${e(room)}/send/m.room.encrypted/${txn}`
  const asAnn = async (method: string, path: string, body?: unknown) => {
    const { synapse } = await stack()
    const answer = await fetch(synapse.url + path, {
      method,
      headers: { authorization: `Bearer ${ann.accessToken}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, unknown>
  }
  const annSends = async (room: string) =>
    (await asAnn('PUT', sendPath(room, randomBytes(6).toString('hex')), megolm)).event_id as string
  const writes = async (p: Enrolled, action: string) =>
    (await w.db.store.db('audit_queue').where({ action, patient: p.patient }).orderBy('id')).map(
      (r: { detail: { what: string } }) => r.detail.what,
    )
  const dead = async () =>
    unrecorded(await w.db.dump())
      .split('\n')
      .filter(l => !/"(polled_at|name)":/.test(l))

  it('refuses every call for another patient’s ghost and room, and changes nothing', async () => {
    const values = (p: Enrolled, event: string): Record<string, string> => ({
      me: p.ghost,
      room: p.room,
      event,
      txn: 't1',
      session: 'abc',
      device: 'abc',
      secret: 'm.megolm_backup.v1',
      server: 'wardroom.test',
      media: 'x',
    })
    const foreign = values(jose, await annSends(jose.room))
    const before = await dead()
    for (const route of routes.filter(r => /\{(me|room)\}/.test(r.path))) {
      const path = route.path.replace(/\{(\w+)\}/g, (_, n: string) => e(foreign[n] ?? ''))
      const body = route.method === 'GET' ? undefined : megolm
      const answer = await call(maria, route.method, path, { body })
      expect(answer.status, `${route.method} ${route.path}`).to.equal(403)
    }
    expect(await dead()).to.deep.equal(before)
  })

  it('refuses one patient’s bearer with another patient’s cookie, on every path', async () => {
    for (const path of ['/_matrix/client/v3/sync', '/_matrix/client/versions', '/_matrix/client/v3/keys/query']) {
      const answer = await call(maria, 'GET', path, { bearer: jose.session.csrf })
      expect(answer.status, path).to.equal(401)
    }
    for (const path of ['key', 'extend', 'reauth', 'end', 'consents', 'undecryptable', 'step'])
      expect((await maria.browser.post(`/api/session/${path}`, {}, jose.session.csrf)).status, path).to.equal(401)
    expect((await maria.browser.call('GET', '/_matrix/client/versions')).status, 'a cookie alone').to.equal(401)
    const alone = await fetch(`${w.server.url}/_matrix/client/versions`, {
      headers: { authorization: `Bearer ${maria.session.csrf}` },
    })
    expect(alone.status, 'a bearer alone').to.equal(401)
  })

  it('refuses calls that the page does not need', async () => {
    const cases: [string, string][] = [
      ['GET', '/_matrix/client/v3/account/whoami'],
      ['GET', '/_matrix/client/v3/devices'],
      ['GET', '/_matrix/client/v3/joined_rooms'],
      ['POST', `/_matrix/client/v3/rooms/${e(maria.room)}/invite`],
      ['POST', `/_matrix/client/v3/rooms/${e(maria.room)}/leave`],
      ['POST', '/_matrix/client/v3/createRoom'],
      ['PUT', `/_matrix/client/v3/rooms/${e(maria.room)}/send/m.room.message/t1`],
      ['PUT', `/_matrix/client/v3/rooms/${e(maria.room)}/state/m.room.name`],
      ['PUT', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'],
      ['DELETE', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'],
      ['POST', '/_matrix/client/v3/keys/device_signing/upload'],
      ['PUT', `/_matrix/client/v3/user/${e(maria.ghost)}/account_data/m.secret_storage.default_key`],
      ['GET', `/_matrix/client/v3/user/${e(maria.ghost)}/account_data/m.direct`],
      ['GET', '/_matrix/federation/v1/version'],
      ['GET', '/_synapse/admin/v1/server_version'],
    ]
    for (const [method, path] of cases) {
      const answer = await call(maria, method, path, method === 'GET' ? {} : { body: megolm })
      expect(answer.status, path).to.be.within(400, 404)
    }
  })

  it('syncs the own room and nothing else, whatever filter the page names', async () => {
    const other = await w.homeserver.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      userId: jose.ghost,
      body: { invite: [maria.ghost] },
    })
    const wide = e(JSON.stringify({ room: { rooms: [other.room_id, maria.room], timeline: { limit: 5 } } }))
    const answer = (await json(call(maria, 'GET', `/_matrix/client/v3/sync?timeout=0&filter=${wide}`))) as {
      rooms: { join: object; invite: object }
      presence?: object
    }
    expect(Object.keys(answer.rooms.join)).to.deep.equal([maria.room])
    expect(answer.rooms.invite).to.deep.equal({})
    expect(answer.presence).to.equal(undefined)
    expect(await writes(maria, 'session.read')).to.include('sync')
  })

  it('answers key calls about the room’s members only', async () => {
    const asked = { device_keys: { [ann.userId]: [], [stranger.userId]: [], [jose.ghost]: [] } }
    const answer = await json(call(maria, 'POST', '/_matrix/client/v3/keys/query', { body: asked }))
    expect(Object.keys(answer.device_keys as object)).to.not.include.members([stranger.userId])
    expect(JSON.stringify(answer)).to.not.include(jose.ghost)
    const olm = { algorithm: 'm.olm.v1.curve25519-aes-sha2', ciphertext: {}, sender_key: 'k' }
    const messages = { messages: { [jose.ghost]: { [jose.session.deviceId]: olm } } }
    await call(maria, 'PUT', '/_matrix/client/v3/sendToDevice/m.room.encrypted/t9', { body: messages })
    const theirs = (await json(call(jose, 'GET', '/_matrix/client/v3/sync?timeout=0'))) as {
      to_device?: { events: unknown[] }
    }
    expect(theirs.to_device?.events ?? []).to.deep.equal([])
  })

  it('sends an encrypted message as the ghost, records it, and closes the loop as answered', async () => {
    await notice(w.db.store, maria)
    const sent = await json(call(maria, 'PUT', sendPath(maria.room, 'm1'), { body: megolm }))
    const event = await asAnn('GET', `/_matrix/client/v3/rooms/${e(maria.room)}/event/${e(sent.event_id as string)}`)
    expect(event).to.include({ sender: maria.ghost, type: 'm.room.encrypted' })
    expect(await writes(maria, 'session.write')).to.deep.equal(['message'])
    expect(await noticeStates(w.db.store, maria)).to.deep.equal(['answered'])
    const clear = { msgtype: 'm.text', body: 'in clear' }
    expect((await call(maria, 'PUT', sendPath(maria.room, 'm2'), { body: clear })).status).to.equal(403)
    const big = { ...megolm, ciphertext: 'A'.repeat(100_000) }
    expect((await call(maria, 'PUT', sendPath(maria.room, 'm3'), { body: big })).status).to.equal(413)
  })

  it('marks a message and the earlier ones as read at its receipt, not the later ones', async () => {
    const events: string[] = []
    for (let i = 0; i < 3; i++) {
      events.push(await notice(w.db.store, jose, await annSends(jose.room)))
      w.db.store.clock.advance(1000)
    }
    const receipt = `/_matrix/client/v3/rooms/${e(jose.room)}/receipt/m.read/${e(events[1] ?? '')}`
    expect((await call(jose, 'POST', receipt, { body: { thread_id: 'main' } })).status).to.equal(200)
    expect(await noticeStates(w.db.store, jose)).to.deep.equal(['read', 'read', 'texted'])
    expect(await w.db.store.db('audit_queue').where({ action: 'message.read' })).to.have.lengthOf(2)
  })

  it('carries files both ways, and not to another patient', async () => {
    const bytes = randomBytes(process.env.WARDROOM_LONG === '1' ? 24_000_000 : 300_000)
    const answer = await call(maria, 'POST', '/_matrix/media/v3/upload?filename=biopsy.jpg', {
      raw: bytes,
      headers: { 'content-type': 'image/jpeg' },
    })
    const { content_uri } = (await answer.json()) as { content_uri: string }
    const path = `/_matrix/client/v1/media/download/${content_uri.slice(6)}`
    const got = await call(maria, 'GET', path)
    expect(got.headers.get('content-type')).to.equal('application/octet-stream')
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).to.equal(true)
    expect((await call(jose, 'GET', path)).status).to.equal(404)
    const elsewhere = '/_matrix/client/v1/media/download/evil.example/abc'
    expect((await call(maria, 'GET', elsewhere)).status).to.equal(404)
    expect(await writes(maria, 'session.read')).to.include('media')
    expect(await writes(maria, 'session.write')).to.include('upload')
  })

  it('takes no upload that is too large or says no length', async () => {
    const status = async (raw: BodyInit, headers: Record<string, string> = {}) =>
      (await call(maria, 'POST', '/_matrix/media/v3/upload', { raw, headers })).status
    expect(await status(new Uint8Array(26 * 1024 * 1024))).to.equal(413)
    expect(await status('')).to.equal(411)
  })

  it('forgets an upload that breaks off in the middle, without an error', async () => {
    const uploads = async () => (await w.db.store.db('session_upload')).length
    const before = await uploads()
    const headers = {
      cookie: [...maria.browser.cookies].map(([k, v]) => `${k}=${v}`).join('; '),
      authorization: `Bearer ${maria.session.csrf}`,
      'content-length': '1000000',
    }
    const { port } = new URL(w.server.url)
    const req = request({ port, method: 'POST', path: '/_matrix/media/v3/upload', headers })
    req.on('error', () => undefined)
    await new Promise(done => req.write(randomBytes(1000), done))
    await eventually(async () => (await writes(maria, 'session.write')).filter(what => what === 'upload').length > 1)
    req.destroy()
    expect((await call(maria, 'GET', '/_matrix/client/versions')).status).to.equal(200)
    expect(await uploads()).to.equal(before)
    expect(w.server.logged()).to.not.include('"level":50')
  })

  it('reads history by pages of at most a hundred, each recorded', async () => {
    const before = (await writes(maria, 'session.read')).length
    const answer = await json(
      call(maria, 'GET', `/_matrix/client/v3/rooms/${e(maria.room)}/messages?dir=b&limit=100000`),
    )
    expect(answer.chunk).to.be.an('array')
    expect((await writes(maria, 'session.read')).slice(before)).to.deep.equal(['history'])
  })

  it('is closed to tokens in the address, other sites’ pages, and path tricks', async () => {
    // Not by fetch, which tidies a path before it goes out.
    const raw = (path: string): Promise<number> =>
      new Promise((done, failed) => {
        const cookie = [...maria.browser.cookies].map(([k, v]) => `${k}=${v}`).join('; ')
        const headers = { cookie, authorization: `Bearer ${maria.session.csrf}` }
        get({ port: new URL(w.server.url).port, path, headers }, res => done(res.resume().statusCode ?? 0)).on(
          'error',
          failed,
        )
      })
    expect(await raw('/_matrix/client/versions')).to.equal(200)
    const tries = [
      '/_matrix/client/v3/sync?access_token=x',
      `/_matrix/client/v3/sync?user_id=${e(jose.ghost)}`,
      '/_matrix/client/v3/%2e%2e/v3/sync',
      `/_matrix/client/v3/rooms/${e(e(maria.room))}/messages`,
      `/_matrix/client/v3/rooms/${e(maria.room)}%2F..%2F${e(jose.room)}/messages`,
    ]
    for (const path of tries) expect(await raw(path), path).to.be.within(400, 404)
    const site = await call(maria, 'GET', '/_matrix/client/versions', { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(site.status).to.equal(403)
  })

  it('writes no token, cookie or bearer into its log', async () => {
    for (const p of [maria, jose])
      for (const text of [p.session.csrf, ...p.browser.cookies.values()]) expect(w.server.logged()).to.not.include(text)
  })
})
