import { createHash } from 'node:crypto'
import { newId, type PatientId, type PersonId, type UserId } from '../../domain/ids.ts'
import { certificateDigest } from '../../domain/records/certificate.ts'
import { type ExitDecision, type ExitPart, type ExitRule, exitParts } from '../../domain/records/exit.ts'
import { erasePatient } from '../audit/subjects.ts'
import type { StoreDeps, Tx } from '../tx.ts'
import { exitFate } from './exit-facts.ts'
import { holdLock } from './holds.ts'

const actor = { kind: 'service', id: 'records' } as const

/**
 * Two people have decided that a patient's record ends: its messages go with the next deletion run, and when none is left, the keys. Gives why not, when a hold, a
 * statutory minimum or an export keeps it; then nothing is changed.
 */
export const requestExit = async (
  tx: Tx,
  patient: PatientId,
  { by, approvedBy }: { by: string; approvedBy: string },
): Promise<(ExitDecision & { do: 'keep' }) | undefined> => {
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
  const fate = await exitFate(tx.sql, patient, tx.now, true)
  if (!fate) throw new Error(`no patient ${patient}`)
  const { decision } = fate
  if (decision.do === 'keep' && decision.why !== 'messages') return decision
  const row = { patient_id: patient, requested_at: tx.now, requested_by: by, approved_by: approvedBy }
  await tx.sql('patient_exit').insert(row).onConflict('patient_id').ignore()
  await tx
    .sql('record')
    .where({ room_id: tx.sql('patient').where({ id: patient }).select('room_id') })
    .whereNull('doomed_at')
    .whereNull('recalled_at')
    .update({ recalled_at: tx.now, recalled_by: by })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'patient.erase',
    object: { kind: 'patient', id: patient },
    outcome: 'done',
    patient,
    detail: { approved_by: approvedBy, messages: fate.messages },
  })
  return undefined
}

/** The parts of a run that are with the homeserver. */
const atHomeserver = ['waiting_device', 'backup', 'secret_storage', 'account'] as const satisfies readonly ExitPart[]
export type HomeserverPart = (typeof atHomeserver)[number]

type Sql = Tx['sql']
const partsOf = async (sql: Sql, patient: PatientId): Promise<{ what: ExitPart; owner: string }[]> => {
  const persons: { id: string; ghost: string | null; k: string | null }[] = await sql('person')
    .where({ patient_id: patient })
    .select('id', 'ghost', 'k')
  const owner = await sql('patient').where({ id: patient }).whereNotNull('service_secret').first('id')
  const has = async (table: string) => (await sql(table).where({ patient_id: patient }).first('id')) !== undefined
  return [
    ...persons.flatMap(p => (p.k === null ? [] : [{ what: 'k' as const, owner: p.id }])),
    ...persons.flatMap(p => (p.ghost === null ? [] : atHomeserver.map(what => ({ what, owner: p.id })))),
    ...(owner ? [{ what: 'room_owner' as const, owner: patient }] : []),
    ...((await has('link')) ? [{ what: 'links' as const, owner: patient }] : []),
    ...((await has('session')) ? [{ what: 'sessions' as const, owner: patient }] : []),
    ...persons.map(p => ({ what: 'identity' as const, owner: p.id })),
  ]
}

/** Notes that something is destroyed, with its entry in the audit log; once, however often it is noted. */
const notePart = async (
  tx: Tx,
  { run, patient }: { run: string; patient: PatientId },
  { what, owner, was = true, count }: { what: ExitPart; owner: string; was?: boolean; count?: number },
): Promise<void> => {
  const key = { run_id: run, what, owner }
  const changed = await tx.sql('patient_exit_part').where(key).whereNull('done_at').update({ done_at: tx.now })
  if (changed === 0) return
  const [entry] = await tx.auditAll([
    {
      actor,
      action: 'key.destroy',
      object: { kind: owner === patient ? 'patient' : 'person', id: owner },
      outcome: 'done',
      patient,
      reason: what,
      detail: { run, was_there: was, ...(count === undefined ? {} : { count }) },
    },
  ])
  await tx.sql('patient_exit_part').where(key).update({ entry })
}

/**
 * Decides once more, in this transaction, whether a patient's record is at its end, and commits the point of no return for it: from then on no hold brings it back.
 * Every K of theirs is destroyed at once, so that nothing opens from here on, whatever happens to the rest. The run, or null when it is to be kept.
 */
export const beginExit = async (tx: Tx, patient: PatientId): Promise<string | null> => {
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
  const decision = (await exitFate(tx.sql, patient, tx.now))?.decision
  if (decision?.do !== 'destroy') return null
  const run = newId<string>('kd', tx.deps.random)
  const begun = { patient_id: patient, run_id: run, rule: JSON.stringify(decision.rule), begun_at: tx.now }
  const rows = await tx
    .sql('patient_exit')
    .insert(begun)
    .onConflict('patient_id')
    .merge(['run_id', 'rule', 'begun_at'])
    .whereNull('patient_exit.begun_at')
    .returning('run_id')
  if (rows.length === 0) return null
  const parts = await partsOf(tx.sql, patient)
  await tx.sql('patient_exit_part').insert(parts.map(p => ({ run_id: run, ...p })))
  await tx.sql('person').where({ patient_id: patient }).update({ k: null })
  await tx.sql('patient').where({ id: patient }).update({ service_secret: null })
  for (const p of parts) if (p.what === 'k' || p.what === 'room_owner') await notePart(tx, { run, patient }, p)
  return run
}

/** What of a run is still to be destroyed at the homeserver, in the order in which it goes. */
export const leftAtHomeserver = async (
  { db }: Pick<StoreDeps, 'db'>,
  run: string,
): Promise<{ what: HomeserverPart; owner: PersonId; ghost: UserId }[]> => {
  const rows: { what: HomeserverPart; owner: PersonId; ghost: UserId }[] = await db('patient_exit_part as x')
    .join('person as p', 'p.id', 'x.owner')
    .where('x.run_id', run)
    .whereNull('x.done_at')
    .whereIn('x.what', [...atHomeserver])
    .orderBy('x.owner')
    .select('x.what', 'x.owner', 'p.ghost')
  return rows.toSorted((a, b) =>
    a.owner === b.owner ? atHomeserver.indexOf(a.what) - atHomeserver.indexOf(b.what) : a.owner < b.owner ? -1 : 1,
  )
}

/** Notes that something of a ghost is destroyed at the homeserver; `was`: whether it was there. */
export const noteEnded = (
  tx: Tx,
  of: { run: string; patient: PatientId },
  part: { what: HomeserverPart; owner: PersonId },
  was: boolean,
): Promise<void> => notePart(tx, of, { ...part, was })

/** Sessions and links with what hangs on them; how many of each. */
const forgetAccess = async (tx: Tx, patient: PatientId): Promise<{ links: number; sessions: number }> => {
  const persons = tx.sql('person').where({ patient_id: patient }).select('id')
  const links = tx.sql('link').where({ patient_id: patient }).select('id')
  const sessions = tx.sql('session').where({ patient_id: patient }).select('id')
  await tx.sql('session_device').whereIn('session_id', sessions).delete()
  const ended = await tx.sql('session').where({ patient_id: patient }).delete()
  await tx.sql('link_attempt').whereIn('link_id', links).delete()
  const closed = await tx.sql('link').where({ patient_id: patient }).delete()
  await tx.sql('sms_code').whereIn('person_id', persons).delete()
  await tx.sql('renewal').whereIn('person_id', persons).delete()
  await tx
    .sql('export_device')
    .whereIn('user_id', tx.sql('person').where({ patient_id: patient }).whereNotNull('ghost').select('ghost'))
    .whereNull('gone_at')
    .update({ gone_at: tx.now })
  return { links: closed, sessions: ended }
}

/** Number, date of birth, name, PIN, and what waited in queues: sealed columns that the column key opens. What remains says that there was somebody. */
const forgetIdentity = async (tx: Tx, patient: PatientId): Promise<void> => {
  const { seal } = tx.deps
  const lookups: string[] = await tx.sql('person').where({ patient_id: patient }).pluck('phone_lookup')
  const persons: string[] = await tx.sql('person').where({ patient_id: patient }).pluck('id')
  await tx
    .sql('person')
    .where({ patient_id: patient })
    .update({
      phone: await seal.close('person.phone', ''),
      phone_lookup: '',
      dob: await seal.close('person.dob', ''),
      name: null,
      surnames: null,
      pin: null,
      dehydrated_device: null,
      removed_at: tx.sql.raw('coalesce(removed_at, ?)', [tx.now]),
    })
  await tx.sql('patient').where({ id: patient }).update({ name: null })
  await tx.sql('inbound_text').whereIn('person_id', persons).update({ phone: null, body: null })
  await tx.sql('inbound_choice').whereIn('phone_lookup', lookups).delete()
  // What a worker has in hand ends by itself.
  await tx.sql.raw(
    'delete from outbox where id in (select id from outbox where patient_id = ? for update skip locked)',
    [patient],
  )
}

/** The certificate of a run (row 53), in the form of a deletion run's: by which rule, who asked and approved, how many of what, and a digest over the run's entries. */
const certify = async (tx: Tx, run: string, patient: PatientId): Promise<void> => {
  const exit: { rule: ExitRule; requested_by: string | null; approved_by: string | null } = await tx
    .sql('patient_exit')
    .where({ patient_id: patient })
    .first('rule', 'requested_by', 'approved_by')
  const parts: { what: ExitPart; entry: number }[] = await tx
    .sql('patient_exit_part')
    .where({ run_id: run })
    .select('what', 'entry')
  const policy = exit.rule.kind === 'window' ? exit.rule.id : undefined
  const rule = policy ? await tx.sql('retention_policy').where({ id: policy }).first('approved_by') : undefined
  const approver = policy ? rule?.approved_by : exit.approved_by
  await tx.audit({
    actor,
    action: 'key.certificate',
    object: { kind: 'policy', id: run },
    outcome: 'done',
    detail: {
      count: parts.length,
      ...Object.fromEntries(exitParts.map(what => [`by_${what}`, parts.filter(p => p.what === what).length])),
      rule: exit.rule.kind,
      ...(policy ? { policy } : { requested_by: exit.requested_by }),
      ...(approver ? { approved_by: approver } : {}),
      digest: certificateDigest(
        parts.map(p => Number(p.entry)),
        data => createHash('sha256').update(data).digest('hex'),
      ),
    },
  })
}

/**
 * Ends a run once everything at the homeserver is gone: sessions, links and identity go from our tables, the certificate is written, and the log's pseudonyms of
 * this patient resolve no more (`erasePatient`). Once a run; false while something is left.
 */
export const finishExit = async (tx: Tx, { run, patient }: { run: string; patient: PatientId }): Promise<boolean> => {
  const open = await tx.sql('patient_exit').where({ run_id: run }).whereNull('done_at').forUpdate().first('run_id')
  const left = await tx
    .sql('patient_exit_part')
    .where({ run_id: run })
    .whereNull('done_at')
    .whereIn('what', [...atHomeserver])
    .first('what')
  if (!open || left) return false
  const { links, sessions } = await forgetAccess(tx, patient)
  await forgetIdentity(tx, patient)
  await notePart(tx, { run, patient }, { what: 'links', owner: patient, count: links })
  await notePart(tx, { run, patient }, { what: 'sessions', owner: patient, count: sessions })
  const persons: string[] = await tx.sql('person').where({ patient_id: patient }).pluck('id')
  for (const owner of persons) await notePart(tx, { run, patient }, { what: 'identity', owner })
  await certify(tx, run, patient)
  await tx.sql('patient_exit').where({ run_id: run }).update({ done_at: tx.now })
  await erasePatient(tx, patient)
  return true
}
