import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { experimentalFeatures } from '../../../config/synapse/homeserver.ts'
import { homeserverObjection, missingGuarantees } from '../../../core/matrix/check-homeserver.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'

type Answer = { status: number; body: Record<string, unknown> }
/** Somebody who calls the homeserver: a person's token, or an application service's token and the user it acts as. */
type Caller = { token: string; userId: string; actsAs?: boolean }

const encrypted = {
  algorithm: 'm.megolm.v1.aes-sha2',
  ciphertext: 'AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg',
  session_id: 'session',
  sender_key: 'key',
  device_id: 'DEVICE',
}

/** What js-sdk asks with every sync. */
const stateAfter = 'org.matrix.msc4222.use_state_after'

describe('homeserver', function () {
  this.timeout(120_000)
  let s: Stack
  let callers: Record<'clinician' | 'administrator' | 'bot' | 'ghost', Caller>
  let transaction = 0

  const call = async (by: Caller, method: string, path: string, body?: unknown): Promise<Answer> => {
    const url = new URL(`/_matrix/client/v3${path}`, s.synapse.url)
    if (by.actsAs) url.searchParams.set('user_id', by.userId)
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${by.token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const send = (by: Caller, room: string, type: string, content: unknown): Promise<Answer> => {
    transaction += 1
    return call(by, 'PUT', `/rooms/${encodeURIComponent(room)}/send/${type}/t${transaction}`, content)
  }
  const newRoom = async (by: Caller, extra = {}): Promise<string> => {
    const { body } = await call(by, 'POST', '/createRoom', { preset: 'private_chat', ...extra })
    return String(body.room_id)
  }
  const service = async (token: string, localpart: string): Promise<Caller> => {
    const caller = { token, userId: `@${localpart}:${s.synapse.serverName}`, actsAs: true }
    const response = await fetch(`${s.synapse.url}/_matrix/client/v3/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ type: 'm.login.application_service', username: localpart, inhibit_login: true }),
    })
    expect([200, 400], await response.text()).to.include(response.status) // 400: another suite has made it
    return caller
  }
  const person = async (name: string, admin = false): Promise<Caller> => {
    const { userId, accessToken } = await s.synapse.registerUser(name, undefined, admin)
    return { token: accessToken, userId }
  }

  before(async function () {
    this.timeout(300_000) // the very first run installs Synapse
    s = await stack()
    callers = {
      clinician: await person('hs_clinician'),
      administrator: await person('hs_admin', true),
      bot: await service(s.bots.asToken, 'wardroom_hs_test'),
      ghost: await service(s.ghosts.asToken, 'p_hstest'),
    }
  })

  describe('rooms', () => {
    for (const who of ['clinician', 'administrator', 'bot', 'ghost'] as const)
      it(`are encrypted and of the pinned version when made by a ${who} that asks for neither`, async () => {
        const room = await newRoom(callers[who])
        const path = `/rooms/${encodeURIComponent(room)}/state`
        const state = await call(callers[who], 'GET', `${path}/m.room.encryption/`)
        expect(state.body.algorithm).to.equal('m.megolm.v1.aes-sha2')
        const created = await call(callers[who], 'GET', `${path}/m.room.create/`)
        expect(created.body.room_version).to.equal('11')
      })

    it('keep their encryption: nobody takes it out', async () => {
      const room = await newRoom(callers.administrator)
      const path = `/rooms/${encodeURIComponent(room)}/state/m.room.encryption/`
      expect((await call(callers.administrator, 'PUT', path, { algorithm: 'none' })).status).to.equal(403)
    })
  })

  describe('words in clear', () => {
    const words: [type: string, content: unknown][] = [
      ['m.room.message', { msgtype: 'm.text', body: 'The biopsy is back' }],
      ['m.room.message', { msgtype: 'm.image', body: 'scan.png', url: 'mxc://wardroom.test/abc' }],
      ['m.sticker', { body: 'hello', url: 'mxc://wardroom.test/abc', info: {} }],
      ['m.poll.start', { 'm.poll': { question: { 'm.text': [{ body: 'Better today?' }] } } }],
      ['org.matrix.msc3381.poll.start', { 'org.matrix.msc1767.text': 'Better today?' }],
      ['m.beacon', { description: 'at the ward' }],
      ['com.example.note', { text: 'anything' }],
      ['m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: 'call her back' } }],
      ['m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: '👍'.repeat(65) } }],
      ['m.reaction', { note: 'words', 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: '👍' } }],
      ['m.reaction', { 'm.relates_to': 'words' }],
      ['m.room.encrypted', { ...encrypted, body: 'The biopsy is back' }],
      ['m.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2' }],
    ]
    for (const who of ['clinician', 'administrator', 'bot', 'ghost'] as const)
      it(`of a ${who} are refused with a sentence, whatever the event is called`, async () => {
        const room = await newRoom(callers[who])
        for (const [type, content] of words) {
          const { status, body } = await send(callers[who], room, type, content)
          expect(status, `${type} ${JSON.stringify(content)}`).to.equal(403)
          expect(body.errcode).to.equal('M_FORBIDDEN')
          expect(body.error).to.match(/encrypted/)
        }
      })

    it('are refused as room state, also of whoever has power in the room', async () => {
      const room = await newRoom(callers.clinician)
      for (const [type, content] of words.filter(([t]) => /^m\.(room|sticker|poll|reaction)/.test(t))) {
        const path = `/rooms/${encodeURIComponent(room)}/state/${type}/note`
        const { status, body } = await call(callers.clinician, 'PUT', path, content)
        expect(status, type).to.equal(403)
        expect(body.error).to.match(/encrypted/)
      }
    })

    it('do not leave with an invitation by e-mail', async () => {
      const room = await newRoom(callers.clinician)
      const { status, body } = await call(callers.clinician, 'POST', `/rooms/${encodeURIComponent(room)}/invite`, {
        ...{ medium: 'email', address: 'someone@elsewhere.example' },
        ...{ id_server: 'elsewhere.example', id_access_token: 'x' },
      })
      expect(status).to.equal(403)
      expect(body.error).to.match(/third-party identifiers is denied/)
    })

    it('are refused as the reason of a removal', async () => {
      const room = await newRoom(callers.clinician)
      const { body } = await send(callers.clinician, room, 'm.room.encrypted', encrypted)
      const path = `/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(String(body.event_id))}`
      const wordy = await call(callers.clinician, 'PUT', `${path}/r1`, { reason: 'that was about Mrs Alvarez' })
      expect(wordy.status).to.equal(403)
      expect((await call(callers.clinician, 'PUT', `${path}/r2`, { reason: 'recall.sender' })).status).to.equal(200)
    })
  })

  it('lets ciphertext, emoji, removals, room state and call signalling through', async () => {
    const room = await newRoom(callers.clinician)
    const sent = await send(callers.clinician, room, 'm.room.encrypted', encrypted)
    expect(sent.status).to.equal(200)
    const target = String(sent.body.event_id)
    for (const key of ['👍', '✅', '+1', 'OK', '🇪🇸', '👩🏽‍⚕️']) {
      const relation = { rel_type: 'm.annotation', event_id: target, key }
      expect((await send(callers.clinician, room, 'm.reaction', { 'm.relates_to': relation })).status, key).to.equal(
        200,
      )
    }
    const notification = { 'm.relates_to': { rel_type: 'm.reference', event_id: target }, notification_type: 'ring' }
    expect((await send(callers.clinician, room, 'm.rtc.notification', notification)).status).to.equal(200)
    const path = `/rooms/${encodeURIComponent(room)}`
    expect((await call(callers.clinician, 'PUT', `${path}/state/m.room.topic/`, { topic: 'Unit 3' })).status).to.equal(
      200,
    )
    const member = `_${callers.clinician.userId}_DEVICE`
    const membership = await call(
      callers.clinician,
      'PUT',
      `${path}/state/org.matrix.msc3401.call.member/${member}`,
      {},
    )
    expect(membership.status).to.equal(200)
    expect((await call(callers.clinician, 'PUT', `${path}/redact/${target}/r9`, {})).status).to.equal(200)
  })

  it('tells of a join that crossed a message, and does not take it back with the message (MSC4222)', async () => {
    const ann = callers.clinician
    const bob = await person('hs_crossing')
    type Part = { events?: { state_key?: string; content: { membership?: string } }[] }
    // What a client that has joined takes itself for after this sync.
    const membership = async (room: string, since: string, after: boolean): Promise<string> => {
      const { body } = await call(bob, 'GET', `/sync?since=${since}${after ? `&${stateAfter}=true` : ''}`)
      const here = (body.rooms as { join?: Record<string, Record<string, Part>> } | undefined)?.join?.[room] ?? {}
      if (after) expect(here).to.include.keys('org.matrix.msc4222.state_after')
      const parts = after ? [here['org.matrix.msc4222.state_after']] : [here.state, here.timeline]
      const own = parts.flatMap(part => part?.events ?? []).filter(e => e.state_key === bob.userId)
      return own.at(-1)?.content.membership ?? 'join'
    }
    let seen = 0
    let now = String((await call(bob, 'GET', '/sync')).body.next_batch)
    for (let round = 0; round < 20 && seen === 0; round++) {
      const room = await newRoom(ann, { invite: [bob.userId] })
      const message = () => send(ann, room, 'm.room.encrypted', encrypted)
      await Promise.all([message(), message(), call(bob, 'POST', `/join/${room}`, {}), message(), message()])
      now = String((await call(bob, 'GET', `/sync?since=${now}`)).body.next_batch)
      const [, position = '', rest] = /^s(\d+)(_.*)$/.exec(now) ?? []
      for (let back = 1; back <= 4; back++) {
        // A client that was told of the join before the last messages: the state before them makes it an invitation again.
        const since = `s${Number(position) - back}${rest}`
        if ((await membership(room, since, false)) === 'join') continue
        seen += 1
        expect(await membership(room, since, true)).to.equal('join')
      }
    }
    expect(seen, 'a message crossed a join').to.be.greaterThan(0)
  })

  it('lets nobody register without the clinic', async () => {
    const response = await fetch(`${s.synapse.url}/_matrix/client/v3/register`, {
      method: 'POST',
      body: JSON.stringify({ username: 'stranger', password: 'long-enough-password' }),
    })
    expect(response.status).to.equal(403)
  })

  describe('a homeserver that cannot be used', () => {
    let server: Server
    let url: string
    let version = '1.156.2'
    before(async () => {
      server = createServer((request, response) => {
        const path = request.url ?? ''
        const body = path.endsWith('server_version')
          ? { server_version: version }
          : path.endsWith('/versions')
            ? { versions: ['v1.12'] }
            : { errcode: 'M_UNRECOGNIZED' }
        response.writeHead(path.endsWith('dehydrated_device') ? 404 : 200).end(JSON.stringify(body))
      })
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    after(() => server.close())

    it('is refused for its age, with the version that is needed', async () => {
      expect(await homeserverObjection(url)).to.match(/Synapse 1\.156\.2.* needs 1\.157 or newer/)
    })

    it('is refused when it lacks dehydrated devices, with the setting', async () => {
      version = '2.0.0'
      expect(await homeserverObjection(url)).to.match(/dehydrated devices.*msc3814_enabled: true/)
      expect(await homeserverObjection(s.synapse.url)).to.equal(undefined)
    })

    it('is told from one with our module, so that a start says which guarantees are off', async () => {
      expect(await missingGuarantees(url)).to.have.lengthOf(6)
      expect(await missingGuarantees(s.synapse.url)).to.deep.equal([])
    })
  })

  describe('settings that a restart shows', () => {
    after(async () => {
      await s.synapse.restart({ experimental_features: experimentalFeatures })
    })

    it('is refused as a real Synapse too, once its dehydrated devices are off', async () => {
      await s.synapse.restart({ experimental_features: {}, ip_range_whitelist: ['127.0.0.0/8'] })
      expect(await homeserverObjection(s.synapse.url)).to.match(/lacks dehydrated devices/)
      expect(await missingGuarantees(s.synapse.url)).to.have.lengthOf(1)
    })

    it('pushes without content', async () => {
      const pushes: string[] = []
      const gateway = createServer((request, response) => {
        request.setEncoding('utf8')
        let body = ''
        request.on('data', part => {
          body += part
        })
        request.on('end', () => {
          pushes.push(body)
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"rejected":[]}')
        })
      })
      await new Promise<void>(done => gateway.listen(0, '127.0.0.1', done))
      try {
        const receiver = await person('hs_pushed')
        const { port } = gateway.address() as AddressInfo
        const pusher = {
          kind: 'http',
          app_id: 'test',
          pushkey: 'key',
          app_display_name: 'test',
          device_display_name: 'test',
          lang: 'en',
          data: { url: `http://127.0.0.1:${port}/_matrix/push/v1/notify` },
        }
        expect((await call(receiver, 'POST', '/pushers/set', pusher)).status).to.equal(200)
        const room = await newRoom(callers.clinician, { invite: [receiver.userId], is_direct: true })
        expect((await call(receiver, 'POST', `/rooms/${encodeURIComponent(room)}/join`, {})).status).to.equal(200)
        const { body } = await send(callers.clinician, room, 'm.room.encrypted', encrypted)
        const push = await eventually(() => pushes.find(text => text.includes(String(body.event_id))), {
          what: 'a push',
        })
        expect(push).not.to.include(encrypted.ciphertext)
        expect(JSON.parse(push).notification).not.to.have.property('content')
      } finally {
        gateway.close()
      }
    })
  })
})
