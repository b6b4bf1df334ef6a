import { type Refusal, refuse } from '../domain/refusal.ts'
import { hashBytes } from './hash.ts'
import { fromBase64 } from './key.ts'

/** What a log says of itself: its origin, how many entries it has, the root over them, and lines of its own that are signed with it. */
export type Checkpoint = { origin: string; size: number; root: Uint8Array; extensions?: readonly string[] }

/** The text that is signed (C2SP tlog-checkpoint): origin, size, root in base64, then the extension lines. @throws for lines that would not stay lines. */
export const checkpointText = ({ origin, size, root, extensions = [] }: Checkpoint): string => {
  const lines = [origin, String(size), Buffer.from(root).toString('base64'), ...extensions]
  if (lines.some(line => line === '' || /\p{Cc}/u.test(line)))
    throw new Error('a checkpoint has no empty or broken lines')
  return `${lines.join('\n')}\n`
}

/** Reads the text of a checkpoint; refuses what `checkpointText` would not have written. */
export const parseCheckpoint = (text: string): Checkpoint | Refusal => {
  const [origin = '', decimal = '', encoded = '', ...extensions] = text.split('\n').slice(0, -1)
  const root = fromBase64(encoded)
  const size = /^(0|[1-9]\d{0,15})$/.test(decimal) ? Number(decimal) : Number.NaN
  const whole = text.endsWith('\n') && origin !== '' && !extensions.includes('')
  if (!whole || !Number.isSafeInteger(size) || root?.length !== hashBytes)
    return refuse('not-a-checkpoint', 'This is no checkpoint: it needs an origin, a size and a root hash.')
  return { origin, size, root, ...(extensions.length > 0 ? { extensions } : {}) }
}
