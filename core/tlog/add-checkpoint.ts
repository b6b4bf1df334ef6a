import { type Refusal, refuse } from '../domain/refusal.ts'
import { hashBytes } from './hash.ts'
import { fromBase64 } from './key.ts'
import { noteLimit } from './note.ts'

/** What a log asks a witness (C2SP tlog-witness, add-checkpoint): the size that the witness cosigned last, the proof from there, and the new checkpoint. */
export type AddCheckpoint = { old: number; proof: Uint8Array[]; note: string }

/** The longest request: 63 proof lines and a note. */
export const addCheckpointLimit = noteLimit + 4096

const mostProofLines = 63

/** The body of `POST …/add-checkpoint`. */
export const encodeAddCheckpoint = ({ old, proof, note }: AddCheckpoint): string =>
  `old ${old}\n${proof.map(h => `${Buffer.from(h).toString('base64')}\n`).join('')}\n${note}`

/** Reads the body of `POST …/add-checkpoint`; the note itself is left unread. */
export const parseAddCheckpoint = (body: string): AddCheckpoint | Refusal => {
  const end = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(0, end)).split('\n')
  const decimal = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1]
  const old = Number(decimal ?? Number.NaN)
  const proof = lines.flatMap(line => fromBase64(line) ?? [])
  const whole = proof.length === lines.length && proof.every(h => h.length === hashBytes)
  if (!Number.isSafeInteger(old) || !whole || lines.length > mostProofLines)
    return refuse(
      'not-a-submission',
      'This is no add-checkpoint request: old size, proof lines, empty line, checkpoint.',
    )
  return { old, proof, note: body.slice(end + 2) }
}
