import { type CardPerson, cardText, noHistoryText } from '../../../core/domain/care/card.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { isStopped } from '../../../core/store/patients/care.ts'
import { hasConsent } from '../../../core/store/patients/consents.ts'
import {
  openPatientName,
  openPersonName,
  openPhone,
  type Person,
  patientById,
  personsOf,
} from '../../../core/store/patients/patients.ts'
import type { CareDeps } from '../deps.ts'
import { speak } from '../speak.ts'
import { inviteToSpace } from './units.ts'

const cardPerson = async ({ store }: CareDeps, p: Person): Promise<CardPerson> => ({
  kind: p.kind,
  name: await openPersonName(store.seal, p),
  lang: p.lang,
  last2: (await openPhone(store.seal, p)).slice(-2),
  consent: await hasConsent(store.db, p.id, 'care'),
  stopped: await isStopped(store.db, p.phoneLookup),
})

/** Job `care.card`: posts the card, and tells somebody whom a bot added why earlier messages are unreadable to them. */
export const postCard =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { patientId, newcomer, stranger } = job.payload as {
      patientId: PatientId
      newcomer?: string
      stranger?: string
    }
    const patient = await patientById(deps.store.db, patientId)
    if (!patient?.roomId) return { kind: 'done' }
    if (newcomer) await inviteToSpace(deps, patient.unit, [newcomer])
    const persons = await Promise.all((await personsOf(deps.store.db, patientId)).map(p => cardPerson(deps, p)))
    const card = cardText({
      code: patient.code,
      name: await openPatientName(deps.store.seal, patient),
      persons,
      closed: patient.state === 'closed',
    })
    const body = stranger ? `${card}\n\n${noHistoryText(stranger)}` : card
    const event = await speak(deps, { patientId, jobId: job.id, body, extra: { 'io.wardroom.card': true } })
    return {
      kind: 'done',
      apply: tx =>
        tx.audit({
          actor: { kind: 'service', id: 'bridge' },
          action: 'room.speak',
          object: { kind: 'event', id: event ?? '-' },
          outcome: 'done',
          patient: patientId,
          room: patient.roomId ?? undefined,
          detail: { what: 'card' },
        }),
    }
  }
