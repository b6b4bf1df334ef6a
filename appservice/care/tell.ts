import type { PatientId, PersonId } from '../../core/domain/ids.ts'
import type { JobHandler } from '../../core/queues/outbox-worker.ts'
import { openPhone, patientById, personById } from '../../core/store/patients/patients.ts'
import type { CareDeps } from './deps.ts'
import { speak } from './speak.ts'

/** What a room is told about its texts. Nothing clinical; the patient reads it too. */
const sentences = {
  stopped:
    'Text messages to this number were stopped by an answer of STOP. Please call instead. START turns them on again.',
  started: 'Text messages to this number were turned on again.',
  wrong_number: 'Somebody answered that these texts are not for them. Please check the number before writing again.',
  locked:
    'The date of birth was entered wrong three times. The link is locked until somebody of the team has called and unlocks it.',
  not_me: 'Somebody answered that the link was not meant for them. Please check the number before writing again.',
} as const
export type Told = keyof typeof sentences

const spoke = (patientId: PatientId, what: string, event: string | null) => ({
  actor: { kind: 'service', id: 'bridge' } as const,
  action: 'room.speak' as const,
  object: { kind: 'event' as const, id: event ?? '-' },
  outcome: 'done' as const,
  patient: patientId,
  detail: { what },
})

/** Job `care.tell`. */
export const tell =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { patientId, what } = job.payload as { patientId: PatientId; what: Told }
    const patient = await patientById(deps.store.db, patientId)
    if (!patient) return { kind: 'done' }
    if (patient.state === 'enrolling') return { kind: 'retry', after: 1000, reason: 'the care room is not ready yet' }
    const event = await speak(deps, {
      patientId,
      jobId: job.id,
      body: `📵 ${sentences[what] ?? 'The text messages of this patient changed.'}`,
    })
    return { kind: 'done', apply: tx => tx.audit(spoke(patientId, what, event)) }
  }

/** Job `care.inbound-text`: what came in by SMS goes, encrypted, into the room, and says that it came unencrypted. */
export const inboundText =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { personId, body } = job.payload as { personId: PersonId; body: string }
    const person = await personById(deps.store.db, personId)
    const patient = person && (await patientById(deps.store.db, person.patientId))
    if (!person || !patient) return { kind: 'done' }
    if (patient.state === 'enrolling') return { kind: 'retry', after: 1000, reason: 'the care room is not ready yet' }
    const from = `${person.kind} · …${(await openPhone(deps.store.seal, person)).slice(-2)}`
    const event = await speak(deps, {
      patientId: patient.id,
      jobId: job.id,
      body: `💬 Received by unencrypted SMS (${from}):\n${body}`,
      extra: { 'io.wardroom.sms': true },
    })
    if (!event)
      return {
        kind: 'failed',
        reason: 'no care room',
        apply: async tx => {
          const text = `A text of ${patient.code} came in and could not be shown, because there is no care room. Please call the patient.`
          await tx.enqueue({
            queue: 'bots',
            kind: 'desk.alert',
            key: `text-unshown:${job.id}`,
            payload: { what: 'text_unshown', unit: patient.unit, text },
            patient: patient.id,
          })
        },
      }
    return { kind: 'done', apply: tx => tx.audit(spoke(patient.id, 'inbound_text', event)) }
  }
