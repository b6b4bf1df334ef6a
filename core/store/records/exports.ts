import type { Knex } from 'knex'
import { hours, type Instant } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import {
  afterSignal,
  type ExportAbout,
  type ExportRange,
  type ExportState,
  requestLife,
} from '../../domain/records/export-request.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Db } from '../db.ts'
import type { StoreDeps, Tx } from '../tx.ts'
import { askRooms, exportScope, mostExportRooms } from './export-rooms.ts'

type Sql = Db | Knex.Transaction
type Row = Record<string, unknown>

/** A request with everything but why it was made, which stays sealed (`exportMatter`). */
export type ExportRequest = ExportRange & {
  id: string
  about: ExportAbout
  /** The patient's own copy: without what is for staff alone. */
  copy: boolean
  /** age recipients, `age1…`. */
  recipients: string[]
  state: ExportState
  requestedAt: Instant
  requestedBy: string
  approvedAt: Instant | null
  approvedBy: string | null
  lapsesAt: Instant
  closedAt: Instant | null
  closedBy: string | null
  runs: number
  fileSha256: string | null
  manifestSha256: string | null
  counts: Record<string, number> | null
}

const sealContext = 'export_request.matter'

const aboutOf = (r: Row): ExportAbout => {
  if (r.about === 'room') return { kind: 'room', room: r.room_id as string }
  if (r.about === 'user') return { kind: 'user', user: r.user_id as string }
  return { kind: 'patient', patient: r.patient_id as string }
}

const toExport = (r: Row): ExportRequest => ({
  id: r.id as string,
  about: aboutOf(r),
  since: r.since as Instant | null,
  until: r.until as Instant,
  copy: r.copy as boolean,
  recipients: r.recipients as string[],
  state: r.state as ExportState,
  requestedAt: r.requested_at as Instant,
  requestedBy: r.requested_by as string,
  approvedAt: r.approved_at as Instant | null,
  approvedBy: r.approved_by as string | null,
  lapsesAt: r.lapses_at as Instant,
  closedAt: r.closed_at as Instant | null,
  closedBy: r.closed_by as string | null,
  runs: r.runs as number,
  fileSha256: r.file_sha256 as string | null,
  manifestSha256: r.manifest_sha256 as string | null,
  counts: r.counts as Record<string, number> | null,
})

export const exportById = async (sql: Sql, id: string): Promise<ExportRequest | undefined> => {
  const row = await sql('export_request').where({ id }).first()
  return row && toExport(row)
}

/** The newest requests first. */
export const listExports = async (sql: Sql, limit = 30): Promise<ExportRequest[]> =>
  (await sql('export_request').orderBy('requested_at', 'desc').limit(limit)).map(toExport)

/** Why an export was asked for. */
export const exportMatter = async ({ db, seal }: Pick<StoreDeps, 'db' | 'seal'>, id: string): Promise<string> => {
  const row = await db('export_request').where({ id }).first('matter')
  return row ? seal.open(sealContext, row.matter) : ''
}

const subject = (r: Pick<ExportRequest, 'about'>) => ({
  ...(r.about.kind === 'patient' ? { patient: r.about.patient } : {}),
  ...(r.about.kind === 'room' ? { room: r.about.room } : {}),
})

type Entry = {
  action: 'request' | 'approve' | 'cancel' | 'expire' | 'run' | 'done' | 'check'
  actor: { kind: 'user' | 'service'; id: string }
  outcome?: 'done' | 'failed'
  reason?: string
  detail?: Record<string, string | number | boolean | null>
}

/** An entry of the log about an export, under the export's own name: the package carries them all, with their proofs. */
export const auditExport = (
  tx: Tx,
  r: Pick<ExportRequest, 'id' | 'about'>,
  { action, outcome = 'done', ...e }: Entry,
): Promise<void> =>
  tx.audit({ ...e, action: `export.${action}`, outcome, object: { kind: 'export', id: r.id }, ...subject(r) })

export const newExportId = (tx: Tx): string => newId<string>('ex', tx.deps.random)

/** Writes a request down; nothing may be read before somebody else approves it. `matter`: why, kept sealed. */
export const createExport = async (
  tx: Tx,
  r: ExportRange & Pick<ExportRequest, 'id' | 'about' | 'copy' | 'recipients'> & { matter: string; by: string },
): Promise<ExportRequest> => {
  const [row] = await tx
    .sql('export_request')
    .insert({
      id: r.id,
      about: r.about.kind,
      room_id: r.about.kind === 'room' ? r.about.room : null,
      user_id: r.about.kind === 'user' ? r.about.user : null,
      patient_id: r.about.kind === 'patient' ? r.about.patient : null,
      since: r.since,
      until: r.until,
      copy: r.copy,
      recipients: [...r.recipients],
      matter: await tx.deps.seal.close(sealContext, r.matter),
      state: 'requested',
      requested_at: tx.now,
      requested_by: r.by,
      lapses_at: tx.now + requestLife,
    })
    .returning('*')
  const made = toExport(row)
  await auditExport(tx, made, {
    action: 'request',
    actor: { kind: 'user', id: r.by },
    detail: {
      kind: r.about.kind,
      copy: r.copy,
      since: r.since,
      until: r.until,
      recipients: r.recipients.length,
      ...(r.about.kind === 'user' ? { user: r.about.user } : {}),
    },
  })
  return made
}

const locked = async (tx: Tx, id: string): Promise<ExportRequest | undefined> => {
  const row = await tx.sql('export_request').where({ id }).forUpdate().first()
  return row && toExport(row)
}

const expire = async (tx: Tx, r: ExportRequest): Promise<void> => {
  await tx.sql('export_request').where({ id: r.id }).update({ state: 'expired', closed_at: tx.now })
  await auditExport(tx, r, { action: 'expire', actor: { kind: 'service', id: 'records' }, detail: { was: r.state } })
}

/** Approves: its rooms are fixed and told, and from now on, for `hoursOpen`, officers may run it. */
export const approveExport = async (
  tx: Tx,
  id: string,
  { by, hoursOpen }: { by: string; hoursOpen: number },
): Promise<ExportRequest | Refusal | undefined> => {
  const r = await locked(tx, id)
  if (!r) return undefined
  const state = afterSignal(r, { kind: 'approve', by }, tx.now)
  if (isRefusal(state)) return state
  const rooms = await exportScope(tx.sql, r)
  if (rooms.length > mostExportRooms)
    return refuse('too-much', `That is more than ${mostExportRooms} rooms by now: ask for a shorter time.`)
  const approved = { state, approved_at: tx.now, approved_by: by, lapses_at: tx.now + hours(hoursOpen) }
  const [row] = await tx.sql('export_request').where({ id }).update(approved).returning('*')
  await askRooms(tx, id, rooms)
  await auditExport(tx, r, {
    action: 'approve',
    actor: { kind: 'user', id: by },
    detail: { requested_by: r.requestedBy, rooms: rooms.length, hours: hoursOpen },
  })
  return toExport(row)
}

/** Takes a request back, or declines it. Undefined when there is none. */
export const cancelExport = async (tx: Tx, id: string, by: string): Promise<ExportState | Refusal | undefined> => {
  const r = await locked(tx, id)
  if (!r) return undefined
  const state = afterSignal(r, { kind: 'cancel' }, tx.now)
  if (isRefusal(state)) return state
  await tx.sql('export_request').where({ id }).update({ state, closed_at: tx.now, closed_by: by })
  await auditExport(tx, r, { action: 'cancel', actor: { kind: 'user', id: by }, detail: { was: r.state } })
  return state
}

/** Closes requests that nobody approved and approvals that nobody used in time. Returns how many. */
export const lapseExports = async (tx: Tx): Promise<number> => {
  const rows = await tx
    .sql('export_request')
    .whereIn('state', ['requested', 'approved'])
    .where('lapses_at', '<=', tx.now)
    .forUpdate()
    .skipLocked()
    .limit(100)
  const due = rows.map(toExport).filter(r => afterSignal(r, { kind: 'look' }, tx.now) === 'expired')
  for (const r of due) await expire(tx, r)
  return due.length
}

/** The officers begin: refused unless it is approved and its time is not over. */
export const beginExport = async (
  tx: Tx,
  id: string,
  { by, shares }: { by: string; shares: string },
): Promise<ExportRequest | Refusal | undefined> => {
  const r = await locked(tx, id)
  if (!r) return undefined
  const state = afterSignal(r, { kind: 'begin' }, tx.now)
  if (isRefusal(state)) return state
  await tx
    .sql('export_request')
    .where({ id })
    .update({ runs: r.runs + 1 })
  await auditExport(tx, r, {
    action: 'run',
    actor: { kind: 'service', id: by },
    detail: { run: r.runs + 1, shares, rooms: (await exportScope(tx.sql, r)).length },
  })
  return { ...r, runs: r.runs + 1 }
}

export type ExportOutcome = { fileSha256: string; manifestSha256: string; counts: Record<string, number> }

/** The package is written: its hashes stay here and in the log, so that anybody can tell it from another one. */
export const finishExport = async (
  tx: Tx,
  id: string,
  { by, fileSha256, manifestSha256, counts }: ExportOutcome & { by: string },
): Promise<Refusal | undefined> => {
  const r = await locked(tx, id)
  const state = r && afterSignal(r, { kind: 'finish' }, tx.now)
  if (!r || !state || isRefusal(state)) return state && isRefusal(state) ? state : undefined
  await tx
    .sql('export_request')
    .where({ id })
    .update({
      state,
      closed_at: tx.now,
      closed_by: by,
      file_sha256: fileSha256,
      manifest_sha256: manifestSha256,
      counts: JSON.stringify(counts),
    })
  await auditExport(tx, r, {
    action: 'done',
    actor: { kind: 'service', id: by },
    detail: { run: r.runs, file_sha256: fileSha256, manifest_sha256: manifestSha256, ...counts },
  })
  return undefined
}

/** A run broke down; it may be repeated while the approval lasts. `reason`: a code. */
export const failExport = async (
  tx: Tx,
  r: Pick<ExportRequest, 'id' | 'about'>,
  { by, reason }: { by: string; reason: string },
): Promise<void> =>
  auditExport(tx, r, { action: 'done', outcome: 'failed', actor: { kind: 'service', id: by }, reason })

/** Does anything about this export wait for the audit log's sequencer? */
export const isExportQueued = async (sql: Sql, id: string): Promise<boolean> => {
  const waiting = sql('audit_queue').whereRaw(`object->>'kind' = 'export' and object->>'id' = ?`, [id])
  return (await waiting.first('id')) !== undefined
}
