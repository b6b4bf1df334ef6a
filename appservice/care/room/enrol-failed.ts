import type { PatientId } from '../../../core/domain/ids.ts'
import type { GivenUp } from '../../../core/queues/outbox-worker.ts'
import { failPatient } from '../../../core/store/patients/care.ts'
import { patientById } from '../../../core/store/patients/patients.ts'

const actor = { kind: 'service', id: 'bridge' } as const

/** `patient.enrol` was given up: the patient is `failed`, and whoever enrolled them is told. */
export const enrolmentFailed: GivenUp = async (tx, job) => {
  const patientId = job.patient as PatientId
  if (!(await failPatient(tx, patientId))) return
  const patient = await patientById(tx.sql, patientId)
  await tx.audit({
    actor,
    action: 'patient.ready',
    object: { kind: 'patient', id: patientId },
    outcome: 'failed',
    patient: patientId,
  })
  await tx.enqueue({
    queue: 'bots',
    kind: 'bot.say',
    key: `not-ready:${patientId}`,
    payload: {
      to: { user: patient?.createdBy },
      text: `⚠️ ${patient?.code}: the care room could not be made, and the patient gets no texts. Ask an administrator to look at the homeserver, then enrol the patient again.`,
    },
    patient: patientId,
  })
}

/** `person.enrol` was given up: the desk of the patient's unit is told, since the caregiver would wait for ever. */
export const caregiverFailed: GivenUp = async (tx, job) => {
  const patient = job.patient ? await patientById(tx.sql, job.patient as PatientId) : null
  if (patient?.state !== 'open') return
  await tx.enqueue({
    queue: 'bots',
    kind: 'desk.alert',
    key: `caregiver-failed:${job.id}`,
    payload: {
      what: 'caregiver_failed',
      unit: patient.unit,
      text: `A caregiver of ${patient.code} could not be added to the care room. Ask an administrator to look at the homeserver, then add them again.`,
    },
    patient: patient.id,
  })
}
