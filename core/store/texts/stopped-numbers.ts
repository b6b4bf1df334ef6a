import type { Knex } from 'knex'
import type { Actor } from '../../domain/audit/event.ts'
import type { Instant } from '../../domain/clock.ts'
import { days } from '../../domain/clock.ts'
import { advanceNotices } from '../patients/notices.ts'
import { personsByPhone } from '../patients/patients.ts'
import type { Tx } from '../tx.ts'

/** Why a number is not texted: its holder said so, or the carriers cannot. `null` when it may be texted. */
export type NumberBlock = 'stopped' | 'landline' | 'invalid_number'

const badFor = days(30)

export const numberBlock = async (sql: Knex, phoneLookup: string, now: Instant): Promise<NumberBlock | null> => {
  if (await sql('stopped_number').where({ phone_lookup: phoneLookup }).first('phone_lookup')) return 'stopped'
  const bad = await sql('bad_number')
    .where({ phone_lookup: phoneLookup })
    .andWhere('since', '>', now - badFor)
    .first('class')
  return (bad?.class as NumberBlock | undefined) ?? null
}

const patientsOf = async (tx: Tx, phoneLookup: string): Promise<string[]> => [
  ...new Set((await personsByPhone(tx.sql, phoneLookup)).map(p => p.patientId)),
]

/** The rooms hear of it (job `care.tell`), once for each change. */
export const tellRooms = async (tx: Tx, phoneLookup: string, what: 'stopped' | 'started' | 'wrong_number') => {
  for (const patientId of await patientsOf(tx, phoneLookup))
    await tx.enqueue({
      queue: 'bridge',
      kind: 'care.tell',
      key: `tell:${patientId}:${what}:${tx.now}`,
      lane: patientId,
      payload: { patientId, what },
      patient: patientId,
    })
}

/**
 * Stops a number at once, for everybody who shares it (row 66): nothing that is queued goes out any more, open notices fail with `stopped` and the rooms are
 * told. `phoneLookup` is `phoneLookup(seal, e164)`. False when it was stopped already.
 */
export const stopNumber = async (tx: Tx, phoneLookup: string, by: Actor): Promise<boolean> => {
  const fresh = await tx
    .sql('stopped_number')
    .insert({ phone_lookup: phoneLookup, stopped_at: tx.now, by: `${by.kind}:${by.id}` })
    .onConflict('phone_lookup')
    .ignore()
    .returning('phone_lookup')
  const persons = await personsByPhone(tx.sql, phoneLookup)
  await tx.audit({
    actor: by,
    action: 'number.stop',
    object: { kind: 'person', id: persons[0]?.id ?? 'unknown' },
    outcome: 'done',
    patient: persons[0]?.patientId,
    detail: { persons: persons.length, already: fresh.length === 0 },
  })
  if (fresh.length === 0) return false
  for (const p of persons) await advanceNotices(tx, { person: p.id }, { kind: 'failed', failure: 'stopped' })
  await tellRooms(tx, phoneLookup, 'stopped')
  return true
}

/** Lets a number be texted again because its holder asked. False when it was not stopped. */
export const startNumber = async (tx: Tx, phoneLookup: string, by: Actor): Promise<boolean> => {
  const had = await tx.sql('stopped_number').where({ phone_lookup: phoneLookup }).delete()
  await clearBadNumber(tx, phoneLookup)
  const persons = await personsByPhone(tx.sql, phoneLookup)
  await tx.audit({
    actor: by,
    action: 'number.start',
    object: { kind: 'person', id: persons[0]?.id ?? 'unknown' },
    outcome: 'done',
    patient: persons[0]?.patientId,
    detail: { persons: persons.length, was_stopped: had > 0 },
  })
  if (had > 0) await tellRooms(tx, phoneLookup, 'started')
  return had > 0
}

/** The carriers said that a number cannot get texts: it is not tried again for 30 days, or until a text comes from it. */
export const markBadNumber = async (
  tx: Tx,
  phoneLookup: string,
  kind: 'landline' | 'invalid_number',
): Promise<void> => {
  await tx
    .sql('bad_number')
    .insert({ phone_lookup: phoneLookup, class: kind, since: tx.now })
    .onConflict('phone_lookup')
    .merge()
}

export const clearBadNumber = async (tx: Tx, phoneLookup: string): Promise<void> => {
  await tx.sql('bad_number').where({ phone_lookup: phoneLookup }).delete()
}
