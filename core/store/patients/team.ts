import { isRole, type Role } from '../../domain/roles.ts'
import type { Db } from '../db.ts'

/** Roles of these users that count now. */
export const rolesOf = async (db: Db, users: readonly string[]): Promise<Map<string, Role[]>> => {
  const rows: { user_id: string; role: string }[] = await db('role_grant')
    .whereIn('user_id', users)
    .whereNull('suspended_at')
    .select('user_id', 'role')
  const out = new Map<string, Role[]>()
  for (const { user_id, role } of rows) if (isRole(role)) out.set(user_id, [...(out.get(user_id) ?? []), role])
  return out
}

/** Users of ours in a patient's room: its owner and the ghosts of the persons who take part. */
export const ownUsersOf = async (
  db: Db,
  patientId: string,
): Promise<{ service: string | null; ghosts: Map<string, 'patient' | 'caregiver'> }> => {
  const patient = await db('patient').where({ id: patientId }).first('service_user')
  const persons: { ghost: string; kind: 'patient' | 'caregiver' }[] = await db('person')
    .where({ patient_id: patientId })
    .whereNotNull('ghost')
    .select('ghost', 'kind')
  return { service: patient?.service_user ?? null, ghosts: new Map(persons.map(p => [p.ghost, p.kind])) }
}
