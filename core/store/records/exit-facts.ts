import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { PatientId } from '../../domain/ids.ts'
import { decideExit, type ExitDecision, type ExitFacts, type ExitRule } from '../../domain/records/exit.ts'
import type { Db } from '../db.ts'
import { recordsOfRoom } from './fates.ts'
import { listHolds } from './holds.ts'
import { listPolicies } from './policies.ts'

type Sql = Db | Knex.Transaction

/** The end of a patient's record: asked for, under way, or over. */
export type PatientExit = {
  patient: PatientId
  requestedAt: Instant | null
  requestedBy: string | null
  approvedBy: string | null
  run: string | null
  rule: ExitRule | null
  begunAt: Instant | null
  doneAt: Instant | null
}

export const exitOf = async (sql: Sql, patient: PatientId): Promise<PatientExit | undefined> => {
  const r = await sql('patient_exit').where({ patient_id: patient }).first()
  return (
    r && {
      patient: r.patient_id,
      requestedAt: r.requested_at,
      requestedBy: r.requested_by,
      approvedBy: r.approved_by,
      run: r.run_id,
      rule: r.rule,
      begunAt: r.begun_at,
      doneAt: r.done_at,
    }
  )
}

type Row = {
  id: PatientId
  room_id: string | null
  closed_at: Instant | null
  active_at: Instant | null
  labels: string[] | null
  requested_at: Instant | null
  exporting: string | null
}

/** Bindings: now. Patients whose end is not begun, with what the decision needs beside their messages. */
const facts = `
  select p.id, p.room_id, case when p.state = 'closed' then p.closed_at end as closed_at, rr.active_at, rr.labels, x.requested_at,
    (select min(e.id) from export_request e where (e.patient_id = p.id or e.room_id = p.room_id) and e.state in ('requested','approved') and e.lapses_at > ?)
      as exporting
  from patient p left join record_room rr on rr.room_id = p.room_id left join patient_exit x on x.patient_id = p.id`

const toFacts = (r: Row, messages: Pick<ExitFacts, 'live' | 'left'>): ExitFacts => ({
  patient: r.id,
  room: r.room_id,
  labels: r.labels ?? [],
  closedAt: r.closed_at ?? undefined,
  activeAt: r.active_at ?? r.closed_at ?? 0,
  requestedAt: r.requested_at ?? undefined,
  exporting: r.exporting ?? undefined,
  ...messages,
})

const rulesNow = async (sql: Sql) => ({ policies: await listPolicies(sql), holds: await listHolds(sql) })

/**
 * What the rules say of the end of one patient's record now, `requested` as if two people had just asked for it; and how many messages of theirs are still
 * there (of a patient in care none is counted). Undefined: no such patient.
 */
export const exitFate = async (
  sql: Sql,
  patient: PatientId,
  now: Instant,
  requested = false,
): Promise<{ decision: ExitDecision; messages: number } | undefined> => {
  const { rows } = await sql.raw(`${facts} where p.id = ?`, [now, patient])
  const row = rows[0] as Row | undefined
  if (!row) return undefined
  const left = row.room_id === null || row.closed_at === null ? [] : await recordsOfRoom(sql, row.room_id)
  const f = toFacts(row, { live: left.filter(r => r.doomedAt === null), left: left.length })
  const asked = requested ? { ...f, requestedAt: f.requestedAt ?? now } : f
  return { decision: decideExit(asked, await rulesNow(sql), now), messages: left.length }
}

/**
 * Patients whose record has come to its end by the rules or by request, of whom no message is left and whose room is closed; and those whose end is
 * under way. `beginExit` decides once more.
 */
export const endedPatients = async (sql: Sql, now: Instant): Promise<{ patient: PatientId; run: string | null }[]> => {
  const begun: { patient_id: PatientId; run_id: string }[] = await sql('patient_exit')
    .whereNotNull('begun_at')
    .whereNull('done_at')
    .orderBy('begun_at')
    .select('patient_id', 'run_id')
  const { rows } = await sql.raw(
    `${facts}
     where p.state = 'closed' and x.begun_at is null
       and not exists (select 1 from record r where r.room_id = p.room_id and r.destroyed_at is null)
       and not exists (select 1 from outbox o where o.patient_id = p.id and o.state = 'pending' and o.kind in ('patient.close','patient.enrol','person.enrol','person.leave'))
     order by p.closed_at`,
    [now],
  )
  const rules = await rulesNow(sql)
  const over = (rows as Row[]).filter(r => decideExit(toFacts(r, { live: [], left: 0 }), rules, now).do === 'destroy')
  return [
    ...begun.map(r => ({ patient: r.patient_id, run: r.run_id })),
    ...over.map(r => ({ patient: r.id, run: null })),
  ]
}
