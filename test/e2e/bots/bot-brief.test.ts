import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { decryptEvent, type RawRoomEvent } from '../../../core/matrix/bot/decrypt.ts'
import { speakBriefly } from '../../../core/matrix/brief-device.ts'
import { awaitOwnSignature, takeOverIdentity } from '../../../core/matrix/cross-signing.ts'
import { createIdentity, createServiceIdentity } from '../../../core/matrix/ghost-identity.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { openMemoryClient } from '../../../core/matrix/memory-client.ts'
import { dehydratedDeviceOf, devicesOf, newDeviceId, putDevice } from '../../../core/matrix/our-users.ts'
import { secret } from '../../../core/secret.ts'
import { systemRandom as random, systemClock } from '../../../core/system.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { type Stack, stack } from '../../support/stack.ts'

describe('users of ours without a standing device', () => {
  let s: Stack
  let homeserver: Homeserver
  let ann: Clinician
  const user = (kind: 'p' | 'r') => `@${kind}_${randomBytes(6).toString('hex')}:${s.synapse.serverName}` as UserId
  const roomPath = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${rest}`
  const event = (as: UserId, room: RoomId, id: string) =>
    homeserver.request<RawRoomEvent>('GET', roomPath(room, `event/${encodeURIComponent(id)}`), { userId: as })
  const say = (body: string, txnId: string) => ({ type: 'm.room.message', content: { msgtype: 'm.text', body }, txnId })

  before(async function () {
    this.timeout(180_000)
    s = await stack()
    homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.ghosts.asToken) })
    ann = await clinician('ann')
  })
  after(async () => ann?.stop())

  it('a ghost has no live device, and K alone opens what was sent to it meanwhile; a second attempt replaces the first', async function () {
    this.timeout(120_000)
    const userId = user('p')
    const made = { homeserver, userId, deviceName: 'enrolment', random }
    const first = await createIdentity(made)
    // As an attempt that was killed leaves it.
    await putDevice(homeserver, userId, newDeviceId(random), 'left behind')
    const ghost = await createIdentity(made)
    expect(Buffer.from(ghost.k).equals(Buffer.from(first.k))).to.equal(false)
    expect(await devicesOf(homeserver, userId)).to.deep.equal([ghost.dehydratedDeviceId])

    const room = (await ann.createRoom({ invite: [userId] })) as RoomId
    await homeserver.request('POST', roomPath(room, 'join'), { userId, body: {} })
    await ann.waitFor(e => e.type === 'm.room.member' && e.stateKey === userId && e.content.membership === 'join')
    const id = await ann.send(room, 'for you alone')

    const deviceId = newDeviceId(random)
    await putDevice(homeserver, userId, deviceId, 'visit')
    const visit = await openMemoryClient({
      homeserver,
      userId,
      deviceId,
      rooms: [room],
      secretStorageKey: () => ghost.k,
    })
    await takeOverIdentity(visit.client, visit.crypto, userId)
    await awaitOwnSignature(visit.crypto, userId, deviceId, systemClock)
    const manager = (
      visit.crypto as unknown as { dehydratedDeviceManager: { rehydrateDeviceIfAvailable(): Promise<boolean> } }
    ).dehydratedDeviceManager
    expect(await manager.rehydrateDeviceIfAvailable()).to.equal(true)
    const read = await decryptEvent(visit.crypto, await event(userId, room, id))
    visit.stop()
    expect(read.kind === 'read' && read.content.body).to.equal('for you alone')
    expect(await dehydratedDeviceOf(homeserver, userId)).to.equal(ghost.dehydratedDeviceId)
  })

  describe('a service user', () => {
    let userId: UserId
    let k: Uint8Array
    let room: RoomId
    const speak = (contents: ReturnType<typeof say>[]): Promise<EventId[]> =>
      speakBriefly({ homeserver, userId, roomId: room, k, random, contents })
    before(async () => {
      userId = user('r')
      ;({ k } = await createServiceIdentity({ homeserver, userId, deviceName: 'set-up', random }))
      const megolm = { algorithm: 'm.megolm.v1.aes-sha2' }
      const answer = await homeserver.request<{ room_id: RoomId }>('POST', '/_matrix/client/v3/createRoom', {
        userId,
        body: {
          preset: 'private_chat',
          invite: [ann.userId],
          initial_state: [{ type: 'm.room.encryption', state_key: '', content: megolm }],
        },
      })
      room = answer.room_id
      await ann.join(room)
    })

    it('is read without a shield by a clinician who was offline, although its device is gone', async function () {
      this.timeout(120_000)
      ann.network.offline = true
      const [id] = await speak([say('the card', 'job-1')])
      expect(await devicesOf(homeserver, userId)).to.deep.equal([])
      ann.network.offline = false
      const seen = await ann.waitFor(e => e.eventId === id && e.type === 'm.room.message', { timeout: 40_000 })
      expect([seen.body, await ann.shield(seen)]).to.deep.equal(['the card', 'none'])
    })

    it('says nothing twice, also in a mixed batch, and leaves no device behind that a killed attempt had made', async () => {
      const [once] = await speak([say('said once', 'job-2')])
      await putDevice(homeserver, userId, newDeviceId(random), 'left behind')
      const [again, other] = await speak([say('said once', 'job-2'), say('and this', 'job-3')])
      expect(again).to.equal(once)
      await ann.waitFor(e => e.eventId === other && e.body === 'and this')
      expect(await devicesOf(homeserver, userId)).to.deep.equal([])
      expect(ann.seen(room).filter(e => e.body === 'said once')).to.have.lengthOf(1)
    })

    it('cannot speak with another key, and its identity is not replaced by trying', async () => {
      const before = await homeserver.request('POST', '/_matrix/client/v3/keys/query', {
        userId,
        body: { device_keys: { [userId]: [] } },
      })
      const contents = [say('forged', 'job-4')]
      const wrong = speakBriefly({ homeserver, userId, roomId: room, k: random.bytes(32), random, contents })
      expect(await wrong.catch((e: Error) => e)).to.be.instanceOf(Error)
      const after = await homeserver.request('POST', '/_matrix/client/v3/keys/query', {
        userId,
        body: { device_keys: { [userId]: [] } },
      })
      expect(after.master_keys).to.deep.equal(before.master_keys)
      expect(await devicesOf(homeserver, userId)).to.deep.equal([])
    })
  })
})
