import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { StoredCheckpoint } from '../audit/log/checkpoints.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A checkpoint outside this database: where, and what it says. */
export type Pin = { place: string; size: number; root: Uint8Array }

/** How a place is doing: the size that it got last, and since when it has not worked. */
export type Place = {
  place: string
  okAt: Instant | null
  okSize: number
  failingSince: Instant | null
  error: string | null
}

export const placesNow = async (sql: Sql): Promise<Map<string, Place>> => {
  const rows: {
    place: string
    ok_at: number | null
    ok_size: number | null
    failing_since: number | null
    error: string | null
  }[] = await sql('pin_place')
  return new Map(
    rows.map(r => [
      r.place,
      { place: r.place, okAt: r.ok_at, okSize: r.ok_size ?? 0, failingSince: r.failing_since, error: r.error },
    ]),
  )
}

/** Notes that a place holds a checkpoint now, with its event in the log. */
export const notePinned = async (
  tx: Tx,
  place: string,
  c: Pick<StoredCheckpoint, 'size' | 'root' | 'note'>,
): Promise<void> => {
  await tx
    .sql('audit_pin')
    .insert({ place, size: c.size, root: Buffer.from(c.root), at: tx.now, note: c.note })
    .onConflict(['place', 'size'])
    .ignore()
  await noteReached(tx, place, c.size)
  await tx.audit({
    actor: { kind: 'service', id: 'pins' },
    action: 'checkpoint.pin',
    object: { kind: 'checkpoint', id: String(c.size) },
    outcome: 'done',
    detail: { place },
  })
}

/** Notes a witness's cosignature (one line of a signed note, with its newline), with its event in the log. */
export const noteCosigned = async (
  tx: Tx,
  c: { size: number; witness: string; line: string; place: string },
): Promise<void> => {
  await tx
    .sql('audit_cosignature')
    .insert({ size: c.size, witness: c.witness, line: c.line, at: tx.now })
    .onConflict(['size', 'witness'])
    .merge()
  await noteReached(tx, c.place, c.size)
  await tx.audit({
    actor: { kind: 'service', id: 'pins' },
    action: 'checkpoint.cosign',
    object: { kind: 'checkpoint', id: String(c.size) },
    outcome: 'done',
    detail: { witness: c.witness },
  })
}

export const noteReached = async (tx: Tx, place: string, size: number): Promise<void> => {
  const row = { ok_at: tx.now, ok_size: size, failing_since: null, error: null }
  await tx
    .sql('pin_place')
    .insert({ place, ...row })
    .onConflict('place')
    .merge()
}

/** Notes that a place could not be reached; `error` is a code. */
export const noteUnreached = async (tx: Tx, place: string, error: string): Promise<void> => {
  await tx.sql.raw(
    `insert into pin_place (place, failing_since, error) values (?, ?, ?)
     on conflict (place) do update set failing_since = coalesce(pin_place.failing_since, excluded.failing_since), error = excluded.error`,
    [place, tx.now, error],
  )
}

/** Forgets how places were doing that are not used any more; what they hold stays noted. */
export const keepPlaces = async (tx: Tx, used: readonly string[]): Promise<void> => {
  await tx
    .sql('pin_place')
    .whereNotIn('place', [...used])
    .delete()
}

/** The size that a place got last, 0 when none; a consistency proof begins there. */
export const pinnedSize = async (sql: Sql, place: string): Promise<number> =>
  Number((await sql('audit_pin').where({ place }).max({ size: 'size' }).first())?.size ?? 0)

/** The newest pins of each place that this database remembers, and the newest that each witness cosigned. */
export const rememberedPins = async (sql: Sql, ofEach = 20): Promise<Pin[]> => {
  const { rows } = await sql.raw(
    `select place, size, root from (
       select place, size, root, row_number() over (partition by place order by size desc) as n from audit_pin) pin where n <= ?`,
    [ofEach],
  )
  return (rows as Pin[]).map(r => ({ ...r, root: new Uint8Array(r.root) }))
}

/** The note of the largest checkpoint that was put outside: the log must contain it. Undefined while there is none. */
export const latestPinned = async (sql: Sql): Promise<string | undefined> =>
  (await sql('audit_pin').orderBy('size', 'desc').first('note'))?.note

/**
 * Has the log got anything since this size that is more than the pinning itself and what the bot says? Else a quiet log would grow by its own checkpoints, and by
 * the messages that carry them, for ever.
 */
export const hasNews = async (sql: Sql, since: number): Promise<boolean> =>
  (await sql('audit_entry')
    .where('idx', '>=', since)
    .whereNotIn('action', ['checkpoint.pin', 'checkpoint.cosign'])
    .whereNot(q => q.where({ action: 'message.sent', actor_kind: 'service' }))
    .first('idx')) !== undefined

/** Is a checkpoint on its way to the room already? */
export const isPostWaiting = async (tx: Tx): Promise<boolean> =>
  (await tx.sql('outbox').where({ queue: 'bots', kind: 'pins.post', state: 'pending' }).first('id')) !== undefined
