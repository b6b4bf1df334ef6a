import { isRefusal } from '../../core/domain/refusal.ts'
import { type Checkpoint, parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import { parseVkey, type VerifierKey } from '../../core/tlog/key.ts'
import { openNote } from '../../core/tlog/note.ts'
import { layout, type StoredLog } from './stored-log.ts'

/** What is wrong, and in which file (as an exported folder names it). */
export type Problem = { where: string; what: string }
export type Tell = (where: string, what: string) => void

/** A key with the sizes of the checkpoints that it may sign: from its own handover to the next one's. */
export type LogKey = { key: VerifierKey; from: number; to: number }

/** A checkpoint that the log must contain, once its signatures held. */
export type Statement = Checkpoint & { where: string; signedBy: VerifierKey[] }

/**
 * Opens a checkpoint that the log signed: one of its keys must have, and at a time when it was the log's key. Cosigners' keys are verified beside it.
 * Tells what is wrong, and gives the checkpoint as far as it can be read.
 */
export const openStatement = (
  where: string,
  note: string,
  keys: readonly LogKey[],
  cosigners: readonly VerifierKey[],
  tell: Tell,
): Statement | undefined => {
  const opened = openNote(note, [...keys.map(k => k.key), ...cosigners])
  if (isRefusal(opened)) {
    tell(where, opened.sentence)
    return undefined
  }
  const checkpoint = parseCheckpoint(opened.text)
  if (isRefusal(checkpoint)) {
    tell(where, checkpoint.sentence)
    return undefined
  }
  const { origin, size } = checkpoint
  const signers = keys.filter(k => opened.signedBy.includes(k.key))
  if (signers.length === 0) tell(where, 'It is not signed by any key of the log.')
  else if (!signers.some(k => size >= k.from && size <= k.to))
    tell(where, `It was signed with key ${signers[0]?.key.id} at ${size} entries, when that was not the log's key.`)
  const named = keys.find(k => k.key.name !== origin)
  if (named) tell(where, `Its origin is ${origin}, but a key of the log is named ${named.key.name}.`)
  return { ...checkpoint, where, signedBy: opened.signedBy }
}

/**
 * Verifies that each key of the log was introduced by the one before it: a checkpoint that both signed. Gives the keys with the sizes at which each may sign,
 * and the handovers, whose roots must be the log's.
 */
export const checkKeys = (
  log: Pick<StoredLog, 'vkeys' | 'handovers'>,
  tell: Tell,
): { keys: LogKey[]; handovers: Statement[] } => {
  const keys: LogKey[] = []
  const handovers: Statement[] = []
  if (log.vkeys.length === 0) tell(layout.vkeys, 'There is no key.')
  for (const [i, vkey] of log.vkeys.entries()) {
    const key = parseVkey(vkey)
    if (isRefusal(key) || key.type !== 'note') {
      tell(layout.vkeys, `Line ${i + 1}: ${isRefusal(key) ? key.sentence : 'This is a cosigner’s key, not a log’s.'}`)
      return { keys, handovers }
    }
    const before = keys.at(-1)
    if (!before) {
      keys.push({ key, from: 0, to: Number.MAX_SAFE_INTEGER })
      continue
    }
    const where = layout.handover(i)
    const note = log.handovers[i - 1]
    const handover = note === undefined ? undefined : openStatement(where, note, [before, { ...before, key }], [], tell)
    if (note === undefined) tell(where, `Key ${key.id} was never introduced by the key before it.`)
    if (!handover) return { keys, handovers }
    if (handover.signedBy.length < 2) tell(where, `It is not signed by both ${before.key.id} and ${key.id}.`)
    before.to = handover.size
    keys.push({ key, from: handover.size, to: Number.MAX_SAFE_INTEGER })
    handovers.push(handover)
  }
  for (let i = keys.length; i <= log.handovers.length; i++)
    tell(layout.handover(i), 'There is no key that this handover introduces.')
  return { keys, handovers }
}
