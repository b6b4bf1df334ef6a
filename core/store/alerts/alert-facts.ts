import type { Knex } from 'knex'
import type { Seen } from '../../domain/audit/alerts/rule.ts'
import { surnamesOf } from '../../domain/audit/alerts/surname.ts'
import type { AuditRecord } from '../../domain/audit/record.ts'
import type { UserId } from '../../domain/ids.ts'
import type { Seal } from '../../seal.ts'
import { resolveRefs } from '../audit/subjects.ts'
import type { Db } from '../db.ts'
import type { StoreDeps, Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** Keyed hashes of a name's surnames: two people share one or not, and nothing else can be told from them. */
export const surnameHashes = (seal: Seal, name: string): string[] =>
  surnamesOf(name).map(surname => seal.lookup('surname', surname))

/** Notes what the display name of a member of staff says about their surname. */
export const noteStaffName = async (tx: Tx, userId: UserId, displayName: string): Promise<void> => {
  const row = { surnames: surnameHashes(tx.deps.seal, displayName), seen_at: tx.now }
  await tx
    .sql('staff_surname')
    .insert({ user_id: userId, ...row })
    .onConflict('user_id')
    .merge(row)
}

/** People who hold a role and whose name was never looked at. */
export const namelessStaff = (sql: Sql): Promise<UserId[]> =>
  sql('role_grant as r')
    .whereNull('r.suspended_at')
    .whereNotExists(sql('staff_surname as s').whereRaw('s.user_id = r.user_id').select(sql.raw('1')))
    .distinct('r.user_id')
    .pluck('r.user_id')

/** Notes a member of staff's coming and going in a care room, as the homeserver reported it. */
export const noteCareMember = async (tx: Tx, roomId: string, userId: string, membership: string): Promise<void> => {
  const row = { membership, at: tx.now }
  await tx
    .sql('care_member')
    .insert({ room_id: roomId, user_id: userId, ...row })
    .onConflict(['room_id', 'user_id'])
    .merge(row)
}

/** Hashes the surnames of people who were stored before there was such a hash, a few at a time; returns how many. */
export const hashOldSurnames = async (deps: StoreDeps, limit = 200): Promise<number> => {
  const rows: { id: string; name: string }[] = await deps
    .db('person')
    .whereNull('surnames')
    .whereNotNull('name')
    .limit(limit)
    .select('id', 'name')
  for (const { id, name } of rows) {
    const surnames = surnameHashes(deps.seal, await deps.seal.open('person.name', name))
    await deps.db('person').where({ id }).update({ surnames })
  }
  return rows.length
}

type Patient = { id: string; room: string | null; createdBy: string; surnames: Set<string> }

const patientsOf = async (sql: Sql, ids: readonly string[]): Promise<Map<string, Patient>> => {
  const rows: { id: string; room_id: string | null; created_by: string; surnames: string[] | null }[] = await sql(
    'patient',
  )
    .leftJoin('person', 'person.patient_id', 'patient.id')
    .whereIn('patient.id', ids)
    .select('patient.id', 'patient.room_id', 'patient.created_by', 'person.surnames')
  const out = new Map<string, Patient>()
  for (const r of rows) {
    const p = out.get(r.id) ?? { id: r.id, room: r.room_id, createdBy: r.created_by, surnames: new Set<string>() }
    for (const s of r.surnames ?? []) p.surnames.add(s)
    out.set(r.id, p)
  }
  return out
}

const byStaff = (r: AuditRecord) => r.actor.kind === 'user' && r.patient !== undefined

/**
 * Adds to entries what the log does not say itself and the rules ask: shared surnames, and whether the person is in the patient's care room. As it is now; an
 * erased patient has none. Nobody counts as outside of a room whose members were never reported.
 */
export const withFacts = async (
  { db, seal }: { db: Sql; seal: Seal },
  records: readonly AuditRecord[],
): Promise<Seen[]> => {
  const wanted = records.filter(byStaff)
  if (wanted.length === 0) return records.map(r => ({ ...r, facts: {} }))
  const users = [...new Set(wanted.map(r => r.actor.ref))]
  const subjects = await resolveRefs({ db, seal }, [...new Set(wanted.map(r => r.patient ?? ''))])
  const patients = await patientsOf(db, [...new Set([...subjects.values()].map(s => s.value))])
  const rooms = [...patients.values()].flatMap(p => p.room ?? [])
  const names: { user_id: string; surnames: string[] }[] = await db('staff_surname').whereIn('user_id', users)
  const surnames = new Map(names.map(n => [n.user_id, n.surnames]))
  const memberships: { room_id: string; user_id: string; membership: string }[] = await db('care_member').whereIn(
    'room_id',
    rooms,
  )
  const members = new Set(memberships.filter(m => m.membership === 'join').map(m => `${m.room_id} ${m.user_id}`))
  const known = new Set(memberships.map(m => m.room_id))
  const desk = new Set(
    (await db('role_grant').whereIn('user_id', users).where({ role: 'desk' }).whereNull('suspended_at')).map(
      r => r.user_id as string,
    ),
  )
  return records.map(r => {
    const patient = byStaff(r) ? patients.get(subjects.get(r.patient ?? '')?.value ?? '') : undefined
    if (!patient) return { ...r, facts: {} }
    const user = r.actor.ref
    const exempt = desk.has(user) || patient.createdBy === user || patient.room === null || !known.has(patient.room)
    return {
      ...r,
      facts: {
        sameSurname: (surnames.get(user) ?? []).some(s => patient.surnames.has(s)),
        outsideTeam: !exempt && !members.has(`${patient.room} ${user}`),
      },
    }
  })
}
