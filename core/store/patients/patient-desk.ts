import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { PatientId, PersonId } from '../../domain/ids.ts'
import { hashPin } from '../../pin.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { type Notice, toNotice } from './notices.ts'
import { personById } from './patients.ts'

type Sql = Db | Knex.Transaction

/** The latest messages of the care team to a patient, newest first, with how far each has come. */
export const noticesOf = async (sql: Sql, patientId: PatientId, limit = 5): Promise<Notice[]> =>
  (await sql('notice').where({ patient_id: patientId }).orderBy('sent_at', 'desc').limit(limit)).map(toNotice)

/** Open patients in whose room something waits: `unread` messages of the team (and since when, and whether one failed), and what the patient wrote last without an answer. */
export type Waiting = {
  patientId: PatientId
  code: string
  unit: string
  roomId: string | null
  unread: number
  unreadSince: Instant | null
  failed: number
  wroteAt: Instant | null
}

/**
 * What waits, the patients' own words first, then failures, then the oldest. A patient's words are known for as long as the inbox keeps events.
 */
export const waitingPatients = async (sql: Sql, unit?: string): Promise<Waiting[]> => {
  const { rows } = await sql.raw(
    `with open_room as (
       select p.id, p.code, p.unit, p.room_id, p.service_user from patient p where p.state = 'open' and (?::text is null or p.unit = ?)
     ), unread as (
       select n.patient_id, count(distinct n.event_id)::int as unread, min(n.sent_at) as since,
              count(distinct n.event_id) filter (where n.state = 'failed')::int as failed
       from notice n where n.state in ('waiting','texted','delivered','opened','verified','failed','expired') group by n.patient_id
     ), wrote as (
       select o.id, max(i.origin_server_ts) filter (where g.ghost is not null) as patient_at,
              max(i.origin_server_ts) filter (where g.ghost is null and i.sender <> o.service_user) as team_at
       from open_room o join inbox i on i.room_id = o.room_id and i.type = 'm.room.encrypted'
       left join person g on g.ghost = i.sender group by o.id
     )
     select o.id, o.code, o.unit, o.room_id, coalesce(u.unread, 0) as unread, u.since, coalesce(u.failed, 0) as failed,
            case when w.patient_at > coalesce(w.team_at, 0) then w.patient_at end as wrote_at
     from open_room o left join unread u on u.patient_id = o.id left join wrote w on w.id = o.id
     where u.unread > 0 or w.patient_at > coalesce(w.team_at, 0)
     order by wrote_at nulls last, failed desc, u.since`,
    [unit ?? null, unit ?? null],
  )
  return rows.map((r: Record<string, unknown>) => ({
    patientId: r.id,
    code: r.code,
    unit: r.unit,
    roomId: r.room_id,
    unread: r.unread,
    unreadSince: r.since,
    failed: r.failed,
    wroteAt: r.wrote_at,
  }))
}

/** How many open patients each unit has. */
export const patientsPerUnit = async (sql: Sql): Promise<Map<string, number>> => {
  const rows: { unit: string; n: string }[] = await sql('patient')
    .whereNot({ state: 'closed' })
    .groupBy('unit')
    .select('unit')
    .count('* as n')
  return new Map(rows.map(r => [r.unit, Number(r.n)]))
}

/** Sets a person's PIN (4 to 8 digits, kept as a scrypt hash), or removes it with null. */
export const setPin = async (tx: Tx, personId: PersonId, pin: string | null, by: string): Promise<void> => {
  const person = await personById(tx.sql, personId)
  if (!person) throw new Error(`no person ${personId}`)
  await tx
    .sql('person')
    .where({ id: personId })
    .update({ pin: pin === null ? null : await hashPin(pin, tx.deps.random) })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'patient.change',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient: person.patientId,
    detail: { what: pin === null ? 'pin-removed' : 'pin-set' },
  })
}
