import { expect } from 'chai'
import type { SyncChanges } from '../../../core/matrix/empty-syncs.ts'
import { olmMachineOf } from '../../../core/matrix/olm-machine.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'

/** With the client of the tests; the bots and the patient's page pass syncs over by the same code. */
describe('syncs that bring the crypto library nothing', function () {
  this.timeout(60_000)
  let ann: Clinician
  let bob: Clinician
  let room: string
  /** Bob's syncs; `taken`: they reached his crypto library. */
  let syncs: { events: number; oneTimeKeys: number | undefined; taken: boolean }[] = []
  const taken = () => syncs.filter(s => s.taken)

  before(async () => {
    ;[ann, bob] = await Promise.all([clinician('ann'), clinician('bob')])
    room = await ann.createRoom({ invite: [bob.userId] })
    await bob.join(room)
    const first = await ann.send(room, 'first')
    await bob.waitFor(s => s.eventId === first && s.body === 'first')
    const crypto = bob.client.getCrypto()!
    const machine = olmMachineOf(crypto)
    const { receiveSyncChanges } = machine
    machine.receiveSyncChanges = (...args) => {
      syncs.at(-1)!.taken = true
      return receiveSyncChanges.apply(machine, args)
    }
    const outer = crypto as unknown as { processSyncChanges(changes: SyncChanges): Promise<unknown> }
    const { processSyncChanges } = outer
    outer.processSyncChanges = changes => {
      const oneTimeKeys = changes.oneTimeKeysCounts?.signed_curve25519
      syncs.push({ events: changes.toDeviceEvents.length, oneTimeKeys, taken: false })
      return processSyncChanges.call(outer, changes)
    }
  })
  after(async () => {
    await ann?.stop()
    await bob?.stop()
  })

  it('are kept from it: messages of a room whose key is there', async () => {
    for (let n = 0; n < 10; n++) {
      const id = await ann.send(room, `message ${n}`)
      await bob.waitFor(s => s.eventId === id && s.body === `message ${n}`)
    }
    expect(syncs.length).to.be.greaterThan(5)
    expect(taken().length).to.be.lessThan(4)
  })

  it('do not hide that a one-time key was taken, each time anew', async () => {
    const { userId, deviceId, client } = bob
    const left = async () => (await client.uploadKeysRequest({})).one_time_key_counts.signed_curve25519
    const full = await left()
    for (let n = 0; n < 3; n++) {
      syncs = []
      await ann.client.claimOneTimeKeys([[userId, deviceId]], 'signed_curve25519')
      // With the sync that the message makes, the count is told: the same one each time, and the library has uploaded a key since the last.
      await ann.send(room, `after ${n}`)
      await eventually(async () => (await left()) === full, {
        interval: 100,
        what: 'a new key in place of the one that was taken',
      })
      expect(syncs.find(s => s.oneTimeKeys !== full)?.taken, `claim ${n}`).to.equal(true)
    }
  })

  it('do not hide a room key', async () => {
    syncs = []
    const other = await ann.createRoom({ invite: [bob.userId] })
    await bob.join(other)
    const id = await ann.send(other, 'another room')
    await bob.waitFor(s => s.eventId === id && s.body === 'another room')
    expect(taken().some(t => t.events > 0)).to.equal(true)
  })
})
