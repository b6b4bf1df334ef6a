import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { seconds } from '../../../core/domain/clock.ts'
import type { DeviceId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { createLog } from '../../../core/log.ts'
import { deleteDevice, putDevice } from '../../../core/matrix/our-users.ts'
import { watchOwnUsers } from '../../../core/matrix/own-users-watch.ts'
import { addPatient, patientById, personById } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { eventually } from '../../support/eventually.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

const key = () => randomBytes(32).toString('base64').replaceAll('=', '')

describe('devices and identities of patients’ ghosts', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  before(async () => {
    bridge = await testBridge()
  })
  after(() => bridge?.stop())

  it('that Wardroom did not make are in the log within a minute, and nothing else is', async () => {
    const { store, homeserver } = bridge.deps
    const { db } = store
    const added = await transact(store, tx => addPatient(tx, { phone: '+12025550188', dob: '1950-03-04', by: '@a:b' }))
    if (isRefusal(added)) throw new Error(added.sentence)
    const patient = await eventually(
      async () => {
        const p = await patientById(db, added.id)
        return p?.state === 'open' ? p : undefined
      },
      { timeout: 60_000, what: 'the care room' },
    )
    // The room's card is spoken by a short-lived device of ours; this test moves the clock by far more than such a device lives.
    await eventually(async () => !(await db('outbox').where({ queue: 'bridge', state: 'pending' }).first()), {
      what: 'the end of the enrolment',
    })
    const ghost = (await personById(db, added.person))?.ghost as UserId
    const reported = () => db('audit_queue').where({ action: 'device.change' }).whereNotNull('reason').orderBy('id')
    const sweep = watchOwnUsers({ store, homeserver, log: createLog('test', 'error'), lookMs: 50 })
    const rounds = async (n: number) => {
      for (let i = 0; i < n; i++) {
        const before = (await db('sweep').where({ name: 'own-users' }).first('ran_at'))?.ran_at ?? 0
        bridge.db.store.clock.advance(seconds(16))
        await eventually(
          async () => (await db('sweep').where({ name: 'own-users' }).first('ran_at'))?.ran_at > before,
          { what: 'a round' },
        )
      }
    }
    try {
      await rounds(3)
      expect(await reported()).to.deep.equal([])
      const device = 'INTRUDER' as DeviceId
      await putDevice(homeserver, ghost, device, 'not ours')
      await homeserver.request('POST', '/_matrix/client/v3/keys/upload', {
        userId: ghost,
        deviceId: device,
        body: {
          device_keys: {
            user_id: ghost,
            device_id: device,
            algorithms: ['m.megolm.v1.aes-sha2'],
            keys: { [`ed25519:${device}`]: key(), [`curve25519:${device}`]: key() },
            signatures: {},
          },
        },
      })
      await rounds(3)
      const [row, ...more] = await reported()
      expect(more).to.deep.equal([])
      expect(row).to.deep.include({ reason: 'foreign-device', patient: patient.id })
      expect(row.object).to.deep.equal({ kind: 'device', id: device })
      await deleteDevice(homeserver, ghost, device)
      const master = key()
      await homeserver.request('POST', '/_matrix/client/v3/keys/device_signing/upload', {
        userId: ghost,
        body: { master_key: { user_id: ghost, usage: ['master'], keys: { [`ed25519:${master}`]: master } } },
      })
      await rounds(4)
      expect((await reported()).map(r => r.reason)).to.deep.equal(['foreign-device', 'identity-replaced'])
    } finally {
      await sweep.stop()
    }
  })
})
