import type { Knex } from 'knex'
import { type Instant, minutes } from '../../domain/clock.ts'
import { base32, newId, type UserId } from '../../domain/ids.ts'
import { sameSecret } from '../../secret.ts'
import { takeToken } from '../links/rate-limits.ts'
import type { Tx } from '../tx.ts'

/** How long a proposal waits for its second person, or for its own author's `!confirm`. */
export const approvalLife = minutes(15)

/** A change that waits for somebody's word. `payload` is what the change's handler stored, opened. `self`: its author confirms it. */
export type Approval = {
  id: string
  kind: string
  payload: unknown
  summary: string
  requestedBy: UserId
  requestedAt: Instant
  expiresAt: Instant
  self: boolean
}

type Row = Record<string, unknown>
const context = { payload: 'approval.payload', code: 'approval.code' }

const toApproval = async (tx: Tx, r: Row): Promise<Approval> => ({
  id: r.id as string,
  kind: r.kind as string,
  payload: JSON.parse(await tx.deps.seal.open(context.payload, r.payload as string)),
  summary: r.summary as string,
  requestedBy: r.requested_by as UserId,
  requestedAt: r.requested_at as number,
  expiresAt: r.expires_at as number,
  self: r.self as boolean,
})

/** Codes as people type them: any case, with or without the dash, letters that look like digits as digits. */
export const plainCode = (typed: string): string =>
  typed
    .toLowerCase()
    .replace(/[^0-9a-z]/g, '')
    .replace(/[il]/g, '1')
    .replace(/o/g, '0')

const codeHash = (tx: Tx, code: string) => tx.deps.seal.lookup(context.code, plainCode(code))

/**
 * Stores a change until another administrator approves it by its code (40 random bits, kept as a keyed hash, valid 15 min), or until its author confirms it
 * (`self`; an earlier unconfirmed one is replaced). Returns the code, `ABCD-EFGH`.
 */
export const requestApproval = async (
  tx: Tx,
  request: {
    kind: string
    payload: unknown
    summary: string
    by: UserId
    roomId: string
    eventId: string
    self: boolean
  },
): Promise<{ id: string; code: string; expiresAt: Instant }> => {
  const letters = base32(tx.deps.random.bytes(8)).toUpperCase()
  const code = `${letters.slice(0, 4)}-${letters.slice(4)}`
  const id = newId<string>('ap', tx.deps.random)
  const expiresAt = tx.now + approvalLife
  if (request.self)
    await tx
      .sql('approval')
      .where({ requested_by: request.by, self: true })
      .whereNull('decided_at')
      .update({ decided_at: tx.now, decided_by: request.by, decision: 'replaced' })
  await tx.sql('approval').insert({
    id,
    code_hash: codeHash(tx, code),
    kind: request.kind,
    payload: await tx.deps.seal.close(context.payload, JSON.stringify(request.payload)),
    summary: request.summary,
    requested_by: request.by,
    requested_at: tx.now,
    expires_at: expiresAt,
    room_id: request.roomId,
    event_id: request.eventId,
    self: request.self,
  })
  if (!request.self)
    await tx.audit({
      actor: { kind: 'user', id: request.by },
      action: 'approval.request',
      object: { kind: 'approval', id },
      outcome: 'done',
      room: request.roomId,
      detail: { kind: request.kind },
    })
  return { id, code, expiresAt }
}

/** The author's latest unconfirmed proposal that has not expired. */
export const proposalOf = async (tx: Tx, by: UserId): Promise<Approval | undefined> => {
  const row = await tx
    .sql('approval')
    .where({ requested_by: by, self: true })
    .whereNull('decided_at')
    .where('expires_at', '>', tx.now)
    .orderBy('requested_at', 'desc')
    .forUpdate()
    .first()
  return row ? toApproval(tx, row) : undefined
}

export type Found = { kind: 'found'; approval: Approval } | { kind: 'unknown' } | { kind: 'too-many' } | { kind: 'own' }

/** Looks a code up for `by`: five tries, then one a minute. An unknown, used or expired code are the same answer; one's own request is never given. */
export const findApproval = async (tx: Tx, by: UserId, code: string): Promise<Found> => {
  if (!(await takeToken(tx.sql, `approve:${by}`, { burst: 5, everyMs: minutes(1) }, tx.now)))
    return { kind: 'too-many' }
  const hash = codeHash(tx, code)
  const row = await tx
    .sql('approval')
    .where({ code_hash: hash, self: false })
    .whereNull('decided_at')
    .where('expires_at', '>', tx.now)
    .forUpdate()
    .first()
  if (!row || !sameSecret(row.code_hash, hash)) return { kind: 'unknown' }
  return row.requested_by === by ? { kind: 'own' } : { kind: 'found', approval: await toApproval(tx, row) }
}

/** Closes a proposal with its decision; a code works once. */
export const decideApproval = async (
  tx: Tx,
  approval: Approval,
  by: UserId,
  decision: 'approved' | 'rejected',
): Promise<void> => {
  await tx.sql('approval').where({ id: approval.id }).update({ decided_at: tx.now, decided_by: by, decision })
  if (approval.self) return
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'approval.give',
    object: { kind: 'approval', id: approval.id },
    outcome: decision === 'approved' ? 'done' : 'refused',
    detail: { kind: approval.kind, requested_by: approval.requestedBy },
  })
}

/** Proposals that wait for a second person. */
export const openApprovals = async (
  sql: Knex,
  now: Instant,
): Promise<Pick<Approval, 'summary' | 'requestedBy' | 'expiresAt'>[]> =>
  (
    await sql('approval')
      .where({ self: false })
      .whereNull('decided_at')
      .where('expires_at', '>', now)
      .orderBy('requested_at')
  ).map(r => ({ summary: r.summary, requestedBy: r.requested_by, expiresAt: r.expires_at }))
