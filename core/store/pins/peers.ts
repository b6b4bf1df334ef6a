import type { Instant } from '../../domain/clock.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { PinContent } from '../../pin-content.ts'
import { type Checkpoint, parseCheckpoint } from '../../tlog/checkpoint.ts'
import { parseVkey, type VerifierKey } from '../../tlog/key.ts'
import { openNote } from '../../tlog/note.ts'
import { verifyConsistency } from '../../tlog/verify-proof.ts'
import { raise } from '../alerts/alerts.ts'
import type { Tx } from '../tx.ts'

type Row = { origin: string; vkey: string; size: number; root: Buffer; at: Instant; note: string; sender: string }

/** Why a checkpoint cannot be the next of its log. */
export type Conflict = 'another key' | 'shorter than before' | 'another history'

/** More logs than this no room of hospitals has. */
const mostPeers = 200

type Judged = { checkpoint: Checkpoint; vkey: string; proven: boolean; conflict?: Conflict }

const keysOf = (...vkeys: (string | undefined)[]): VerifierKey[] =>
  [...new Set(vkeys)].flatMap(v => {
    const key = v === undefined ? undefined : parseVkey(v)
    return key && !isRefusal(key) && key.type === 'note' ? [key] : []
  })

/**
 * What to think of another hospital's checkpoint: undefined when no key of its own signed it. The key that was seen first counts; a new one only where both signed,
 * as at a handover. `at`: when it was posted.
 */
const judge = async (tx: Tx, known: Row | undefined, pin: PinContent, at: Instant): Promise<Judged | undefined> => {
  const opened = openNote(pin.note, keysOf(known?.vkey, pin.vkey))
  if (isRefusal(opened)) return undefined
  const checkpoint = parseCheckpoint(opened.text)
  const signers = opened.signedBy.map(k => k.vkey)
  if (isRefusal(checkpoint) || !signers.includes(pin.vkey)) return undefined
  if (opened.signedBy.some(k => k.name !== checkpoint.origin)) return undefined
  const judged = { checkpoint, vkey: pin.vkey, proven: false }
  if (!known) return judged
  if (!signers.includes(known.vkey)) return { ...judged, conflict: 'another key' }
  const before: { size: number; root: Buffer }[] = await tx
    .sql('peer_checkpoint')
    .where({ origin: checkpoint.origin })
    .whereIn('size', [checkpoint.size, pin.old])
  const same = before.find(b => b.size === checkpoint.size)
  if (same && !same.root.equals(checkpoint.root)) return { ...judged, conflict: 'another history' }
  if (checkpoint.size < known.size)
    // An older message may come late; one that was written later may not be shorter.
    return same || at <= known.at ? judged : { ...judged, conflict: 'shorter than before' }
  const old = before.find(b => b.size === pin.old)
  if (!old) return judged
  return verifyConsistency(old, checkpoint, pin.proof)
    ? { ...judged, proven: true }
    : { ...judged, conflict: 'another history' }
}

/**
 * Keeps another hospital's checkpoint that its bot posted, and raises `peer-conflict` when it contradicts those before it: the first stays, and so does the other where
 * it has a size of its own. Our own log's is passed over.
 */
export const notePeer = async (
  tx: Tx,
  post: { pin: PinContent; sender: string; at: Instant; ownOrigin: string; room: string },
): Promise<'kept' | 'conflict' | 'ignored'> => {
  const { pin, sender, at } = post
  const origin = pin.note.slice(0, pin.note.indexOf('\n'))
  if (origin === '' || origin === post.ownOrigin) return 'ignored'
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`peer_log:${origin}`])
  const known: Row | undefined = await tx.sql('peer_log').where({ origin }).first()
  if (!known && (await peers(tx)).length >= mostPeers) return 'ignored'
  // Whoever speaks first for a log speaks for it from then on.
  const judged = known && known.sender !== sender ? undefined : await judge(tx, known, pin, at)
  const outcome = !judged ? 'ignored' : judged.conflict ? 'conflict' : 'kept'
  if (judged) await keep(tx, judged, post, known)
  await tx.audit({
    actor: { kind: 'peer', id: sender },
    action: 'checkpoint.conflict',
    object: { kind: 'checkpoint', id: String(judged?.checkpoint.size ?? 'unknown') },
    outcome: outcome === 'kept' ? 'done' : outcome === 'conflict' ? 'failed' : 'refused',
    room: post.room,
    reason: judged?.conflict ?? (judged ? undefined : 'not believed'),
    detail: { origin, proven: judged?.proven ?? false },
  })
  return outcome
}

const keep = async (
  tx: Tx,
  { checkpoint, vkey, proven, conflict }: Judged,
  { pin, sender, at }: { pin: PinContent; sender: string; at: Instant },
  known: Row | undefined,
): Promise<void> => {
  const { origin, size } = checkpoint
  const row = { size, root: Buffer.from(checkpoint.root), at, note: pin.note, sender }
  await tx
    .sql('peer_checkpoint')
    .insert({ origin, ...row, proven })
    .onConflict(['origin', 'size'])
    .ignore()
  if (conflict) {
    const about = { origin, what: conflict, size: String(size) }
    return raise(tx, {
      rule: 'peer-conflict',
      key: `${origin} ${conflict}`,
      about,
      count: 1,
      first: null,
      last: null,
      at: tx.now,
    })
  }
  if (!known) await tx.sql('peer_log').insert({ origin, vkey, ...row })
  else if (size >= known.size)
    await tx
      .sql('peer_log')
      .where({ origin })
      .update({ vkey, ...row })
}

export type Peer = { origin: string; size: number; at: Instant; sender: string }

/** Whose logs were seen, and how long each is. */
export const peers = async (tx: Pick<Tx, 'sql'>): Promise<Peer[]> =>
  tx.sql('peer_log').orderBy('origin').select('origin', 'size', 'at', 'sender')
