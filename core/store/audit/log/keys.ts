import type { Knex } from 'knex'
import type { Instant } from '../../../domain/clock.ts'
import { isRefusal } from '../../../domain/refusal.ts'
import { parseVkey, type SigningKey, type VerifierKey } from '../../../tlog/key.ts'
import { openNote } from '../../../tlog/note.ts'

/** A verifier key of the log (C2SP vkey), from which size on it signs, and the checkpoint that it and the key before it both signed. */
export type LogKey = { vkey: string; fromSize: number; at: Instant; handover: string | null }

/** The log's keys in the order of their use; the last one signs now. */
export const logKeys = async (db: Knex): Promise<LogKey[]> => {
  const rows: { vkey: string; from_size: number; at: number; handover: string | null }[] = await db('audit_key')
    .orderBy('n')
    .select('vkey', 'from_size', 'at', 'handover')
  return rows.map(({ from_size, ...r }) => ({ ...r, fromSize: from_size }))
}

type Signers = [SigningKey] | [SigningKey, SigningKey]

/**
 * The keys that sign the next checkpoint: the current one, and after a rotation, once, the one before it as well. `first`: the current one has not signed yet.
 * @throws when the one before it is missing.
 */
export const signersOf = async (
  sql: Knex,
  keys: readonly SigningKey[],
): Promise<{ signers: Signers; first: boolean }> => {
  const current = keys.at(-1)
  if (!current) throw new Error('the log has no key to sign with')
  const last = (await logKeys(sql)).at(-1)
  if (!last || last.vkey === current.verifier.vkey) return { signers: [current], first: !last }
  const before = keys.find(k => k.verifier.vkey === last.vkey)
  if (!before)
    throw new Error(
      `the log was last signed by the key ${last.vkey}, which the log's key file does not have; put it back: its signature must hand over to the new key`,
    )
  return { signers: [current, before], first: true }
}

/** Notes the new key that signed; with the key before it, the checkpoint is the handover. */
export const noteKey = async (
  sql: Knex,
  [current, before]: Signers,
  { size, at, note }: { size: number; at: Instant; note: string },
): Promise<void> => {
  await sql.raw(
    `insert into audit_key (vkey, n, from_size, at, handover)
     select ?, coalesce(max(n), 0) + 1, ?, ?, ? from audit_key`,
    [current.verifier.vkey, size, at, before ? note : null],
  )
}

/**
 * The log's keys that can be trusted because one in `trusted` (vkeys that the caller knows) vouches for them: each handover was signed by the key before it and
 * the one after it. A key in the table that no handover connects is left out.
 */
export const verifiersOf = (keys: readonly LogKey[], trusted: readonly string[]): VerifierKey[] => {
  const read = keys.map(k => parseVkey(k.vkey))
  const good = keys.map(k => trusted.includes(k.vkey))
  const joined = (n: number) => {
    const [older, newer, handover] = [read[n - 1], read[n], keys[n]?.handover]
    if (!older || !newer || isRefusal(older) || isRefusal(newer) || !handover) return false
    const note = openNote(handover, [older, newer])
    return !isRefusal(note) && note.signedBy.length === 2
  }
  for (let n = 1; n < keys.length; n++) if (good[n - 1] && joined(n)) good[n] = true
  for (let n = keys.length - 1; n > 0; n--) if (good[n] && joined(n)) good[n - 1] = true
  return read.flatMap((key, n) => (good[n] && key && !isRefusal(key) ? [key] : []))
}
