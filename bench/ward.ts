import { setTimeout as pause } from 'node:timers/promises'
import { hours } from '../core/domain/clock.ts'
import type { PatientId, PersonId, RoomId } from '../core/domain/ids.ts'
import { isRefusal } from '../core/domain/refusal.ts'
import { readKeyFile } from '../core/keys.ts'
import { createSeal, type SealingKeys } from '../core/seal.ts'
import { openDb } from '../core/store/db.ts'
import { createLink } from '../core/store/links/links.ts'
import { recordConsent } from '../core/store/patients/consents.ts'
import { addPatient, patientByCode, patientById } from '../core/store/patients/patients.ts'
import { countOutbox } from '../core/store/queues/outbox.ts'
import { type StoreDeps, transact } from '../core/store/tx.ts'
import { systemClock, systemRandom } from '../core/system.ts'
import type { Clinician } from '../test/support/clinician.ts'
import { eventually } from '../test/support/eventually.ts'
import { listedProcesses } from '../test/support/processes/wardroom-process.ts'
import { birthDay, type WardroomWorld, wardroomWorld } from '../test/support/worlds/wardroom.ts'
import { afterRun } from './after-run.ts'
import { residentMb } from './resident.ts'

export type WardPatient = { id: PatientId; person: PersonId; room: RoomId; phone: string }

/** What `npm start` runs, as real processes in a folder of its own, with a clinician's real client and as many enrolled patients as were asked for. */
export type Ward = {
  world: WardroomWorld
  lee: Clinician
  /** The first `count` patients; enrols those that are missing, each with a room in which Dr Lee is. */
  patients(count: number): Promise<WardPatient[]>
  /** A fresh link, as a text would carry it. */
  link(patient: WardPatient): Promise<string>
  /** When the room of the patient with this code was ready (the bridge's clock). */
  readyAt(code: string): Promise<number>
  /** Resolves when no service has a job that is due. */
  settled(): Promise<void>
  /** Memory of our own services (not PostgreSQL, not Synapse) in MB, once they have given back what the last work left behind. */
  settledMemory(): Promise<number>
}

const services = ['bridge', 'keeper', 'bots', 'local']
const queues = ['bots', 'bridge', 'sms'] as const
const together = 4

let shared: Promise<Ward> | undefined

/** One ward a run: enrolling is what takes long. */
export const ward = (say: (line: string) => void): Promise<Ward> => {
  shared ??= openWard(say)
  return shared
}

const openWard = async (say: (line: string) => void): Promise<Ward> => {
  say('ward: starting Wardroom')
  const world = await wardroomWorld()
  afterRun(world.stop)
  const { config } = world.wardroom
  const store: StoreDeps = {
    db: openDb(config.database.url.reveal(), { max: 4, name: 'bench' }),
    clock: systemClock,
    random: systemRandom,
    seal: createSeal(readKeyFile<SealingKeys>(config.keys.file)),
  }
  afterRun(() => store.db.destroy())
  const lee = await world.signIn('drlee', { displayName: 'Dr Lee' })
  afterRun(lee.stop)
  const enrolled: WardPatient[] = []
  const memoryNow = (): number =>
    residentMb(
      listedProcesses(world.dataDir)
        .filter(p => services.includes(p.name))
        .map(p => p.pid),
    )

  const enrol = async (n: number): Promise<WardPatient> => {
    const phone = `+1202555${String(2000 + n).padStart(4, '0')}`
    const added = await transact(store, async tx => {
      const one = await addPatient(tx, { phone, dob: birthDay.iso, by: lee.userId })
      if (isRefusal(one)) throw new Error(one.sentence)
      await recordConsent(tx, one.person, 'care', 'verbal', { kind: 'user', id: lee.userId })
      return one
    })
    const room = await eventually(async () => (await patientById(store.db, added.id))?.roomId ?? undefined, {
      timeout: 120_000,
      interval: 100,
      what: 'the care room',
    })
    await eventually(() => lee.client.getRoom(room)?.getMyMembership() === 'join', {
      timeout: 60_000,
      interval: 100,
      what: 'Dr Lee in the room',
    })
    return { id: added.id, person: added.person, room, phone }
  }

  return {
    world,
    lee,
    settledMemory: async () => {
      let least = memoryNow()
      for (let calm = 0, n = 0; calm < 10 && n < 60; n++) {
        await pause(1000)
        const now = memoryNow()
        calm = now < least - 1 ? 0 : calm + 1
        least = Math.min(least, now)
      }
      return least
    },
    patients: async count => {
      if (count > enrolled.length) say(`ward: enrolling ${count - enrolled.length} patients`)
      while (enrolled.length < count) {
        const next = Math.min(together, count - enrolled.length)
        const from = enrolled.length
        enrolled.push(...(await Promise.all(Array.from({ length: next }, (_, n) => enrol(from + n)))))
        if (enrolled.length % 20 === 0) say(`ward: ${enrolled.length} patients`)
      }
      return enrolled.slice(0, count)
    },
    readyAt: code =>
      eventually(async () => (await patientByCode(store.db, code))?.readyAt ?? undefined, {
        timeout: 60_000,
        interval: 100,
        what: `the room of ${code}`,
      }),
    settled: async () => {
      const due = () => Promise.all(queues.map(async q => (await countOutbox(store, q)).due))
      await eventually(async () => (await due()).every(n => n === 0), {
        timeout: 60_000,
        interval: 50,
        what: 'the jobs',
      })
    },
    link: async ({ id, person }) => {
      const of = { person, patient: id, reason: 'message' as const, publicUrl: config.publicUrl, lifeMs: hours(72) }
      return (await transact(store, tx => createLink(tx, of))).url
    },
  }
}
