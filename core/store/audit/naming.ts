import type { Knex } from 'knex'
import type { AuditEvent } from '../../domain/audit/event.ts'
import type { Resolved } from '../../domain/audit/sentence.ts'
import type { PatientId } from '../../domain/ids.ts'
import type { StoreDeps } from '../tx.ts'
import { ownersOf } from './patients-of.ts'
import { patientLookup } from './subjects.ts'
import type { Naming } from './timeline.ts'

/** Which patient one of our identifiers belongs to; undefined where it belongs to none, or to one that is gone. */
export const patientOf = async (sql: Knex, { kind, value }: Resolved): Promise<PatientId | undefined> => {
  if (kind === 'patient') return value as PatientId
  const object = { kind: kind as AuditEvent['object']['kind'], id: value }
  const actor = { kind: 'service', id: 'audit' } as const
  const owners = await ownersOf(sql, [{ id: 0, at: 0, actor, action: 'audit.reveal', object, outcome: 'done' }])
  return owners.get(`${kind} ${value}`) as PatientId | undefined
}

/** Was what the log knew of this patient erased? */
export const wasErased = async ({ db, seal }: Pick<StoreDeps, 'db' | 'seal'>, id: string): Promise<boolean> =>
  (await db('audit_erased')
    .where({ patient: patientLookup(seal, id) })
    .first('at')) !== undefined

/** Names for the timeline of one patient: their code for themselves, their room and their persons. Nobody else is named. */
export const namingFor = async (
  sql: Knex,
  patient: { id: string; code: string; roomId: string | null },
): Promise<Naming> => {
  const persons: { id: string; kind: string }[] = await sql('person')
    .where({ patient_id: patient.id })
    .select('id', 'kind')
  const names = new Map([
    [patient.id, patient.code],
    ...(patient.roomId ? [[patient.roomId, `of ${patient.code}`] as const] : []),
    ...persons.map(p => [p.id, `${patient.code} (${p.kind})`] as const),
  ])
  return ({ value }) => names.get(value)
}
