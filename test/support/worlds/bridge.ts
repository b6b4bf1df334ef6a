import { randomBytes } from 'node:crypto'
import express from 'express'
import type { CareDeps } from '../../../appservice/care/deps.ts'
import { careGivenUp, careJobs } from '../../../appservice/care/index.ts'
import { publishStaff } from '../../../appservice/care/room/staff-list.ts'
import { onRoomEvent } from '../../../appservice/care/room-events.ts'
import { openGhosts } from '../../../appservice/ghosts/intents.ts'
import type { PatientId, PersonId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { generateKeys } from '../../../core/keys.ts'
import { createLog } from '../../../core/log.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { keepDeliveries } from '../../../core/matrix/ping.ts'
import { startInbox } from '../../../core/queues/inbox-worker.ts'
import { startOutbox } from '../../../core/queues/outbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { recordConsent } from '../../../core/store/patients/consents.ts'
import { addPatient, patientById, personById } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import type { Clinician } from '../clinician.ts'
import { database, type TestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import { stack } from '../stack.ts'

/** The bridge's care-room half on the real homeserver and a fresh database, in this process. */
export type TestBridge = {
  deps: CareDeps
  db: TestDatabase
  privateKeys: Awaited<ReturnType<typeof generateKeys>>
  /** Makes somebody a clinician whom others may invite. */
  grant(user: string): Promise<void>
  /** A patient by the real enrolment, whose room is ready and whom `by` has joined. Consent to texts is recorded unless it is declined. */
  enrol(by: Clinician, options?: NewPatient): Promise<CarePatient>
  stop(): Promise<void>
}

export type NewPatient = { phone?: string; dob?: string; name?: string; lang?: 'en' | 'es'; consent?: boolean }
export type CarePatient = {
  id: PatientId
  person: PersonId
  code: string
  room: RoomId
  /** The room's owner. */
  owner: UserId
  ghost: UserId
  dob: string
}

let phones = 0

export const testBridge = async (): Promise<TestBridge> => {
  const { synapse, ghosts, registrations, ports } = await stack()
  const db = await database()
  const log = createLog('bridge', process.env.WARDROOM_LOG_LEVEL ?? 'error')
  const homeserver = createHomeserver({ url: synapse.url, asToken: secret(ghosts.asToken) })
  const privateKeys = await generateKeys({ bytes: n => new Uint8Array(randomBytes(n)) })
  const deps: CareDeps = {
    store: db.store,
    homeserver,
    ghosts: await openGhosts({ homeserver, registration: registrations.ghosts, serverName: synapse.serverName }),
    keys: privateKeys.sealing,
    publicUrl: 'http://localhost:8080',
    log,
  }
  const deliveries = keepDeliveries({ homeserver, registrationId: registrations.ghosts.id, log })
  const onTransaction = deliveries.arrived
  const app = express().use(
    transactionsRouter({ source: 'ghosts', hsToken: secret(ghosts.hsToken), store: db.store, log, onTransaction }),
  )
  const listener = await listen(app, { host: '127.0.0.1', port: ports.ghosts })
  // Synapse backs off from an endpoint that was away, as it was since the last test file.
  await deliveries.begin()
  const inbox = await startInbox({ source: 'ghosts', store: db.store, handle: onRoomEvent(deps), log })
  const outbox = await startOutbox({
    queue: 'bridge',
    store: db.store,
    handlers: careJobs(deps),
    givenUp: careGivenUp,
    log,
  })
  return {
    deps,
    db,
    privateKeys,
    enrol: async (
      by,
      { phone = `+1202557${String(1000 + phones++)}`, dob = '1950-03-04', consent = true, ...more } = {},
    ) => {
      const added = await transact(db.store, async tx => {
        const one = await addPatient(tx, { phone, dob, ...more, by: by.userId })
        if (isRefusal(one)) throw new Error(one.sentence)
        if (consent) await recordConsent(tx, one.person, 'care', 'verbal', { kind: 'user', id: by.userId })
        return one
      })
      const patient = await eventually(
        async () => {
          const one = await patientById(db.store.db, added.id)
          return one?.state === 'open' ? one : undefined
        },
        { timeout: 60_000, what: 'the care room' },
      ).catch(async (e: Error) => {
        const waiting = await db.store
          .db('outbox')
          .whereNot({ state: 'done' })
          .select('kind', 'state', 'attempts', 'last_error')
        throw new Error(`${e.message}; jobs: ${JSON.stringify(waiting)}`)
      })
      const person = await personById(db.store.db, added.person)
      if (!patient.roomId || !patient.serviceUser || !person?.ghost) throw new Error('the enrolment left something out')
      await by.join(patient.roomId)
      return { ...added, room: patient.roomId, owner: patient.serviceUser, ghost: person.ghost, dob }
    },
    grant: async user => {
      await db.store.db('role_grant').insert({ user_id: user, role: 'clinician', granted_by: 'test', granted_at: 0 })
      await publishStaff(deps)
    },
    stop: async () => {
      await deliveries.stop()
      await listener.stop()
      await inbox.stop()
      await outbox.stop()
      await deps.ghosts.stop()
      await db.drop()
    },
  }
}
