import { isRefusal } from '../../core/domain/refusal.ts'
import { type AddCheckpoint, encodeAddCheckpoint } from '../../core/tlog/add-checkpoint.ts'
import { parseVkey, type VerifierKey } from '../../core/tlog/key.ts'
import { openNote, parseNote } from '../../core/tlog/note.ts'

/** A witness as the setting `audit.witnesses` names it. */
export type Witness = { url: string; key: VerifierKey }

/** Reads `https://host name+id+key`; undefined for a key that is none. */
export const readWitness = (setting: string): Witness | undefined => {
  const [url = '', vkey = ''] = setting.split(/\s+/)
  const key = parseVkey(vkey)
  return isRefusal(key) ? undefined : { url: url.replace(/\/+$/, ''), key }
}

/** `line`: its cosignature, with the newline. `size`: what it says that it has cosigned already. */
export type Answer =
  | { kind: 'cosigned'; line: string }
  | { kind: 'has'; size: number }
  /** It holds another history than this. */
  | { kind: 'inconsistent'; size: number }
  | { kind: 'failed'; error: string }

const timeoutMs = 15_000
const longest = 65_536

const bodyOf = async (response: Response): Promise<string> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > longest) throw new Error('the answer of a witness is too long')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The witness's line among those that it answered, if its signature is one of this text. */
const cosignature = (note: string, answer: string, key: VerifierKey): string | undefined => {
  const parsed = parseNote(note)
  if (isRefusal(parsed)) return undefined
  for (const line of answer.split('\n').filter(l => l !== '')) {
    const opened = openNote(`${parsed.text}\n${line}\n`, [key])
    if (!isRefusal(opened) && opened.signedBy.length === 1) return `${line}\n`
  }
  return undefined
}

/**
 * Asks a witness to cosign (C2SP tlog-witness, add-checkpoint): that the checkpoint of `note` over `size` entries continues the one of `old` entries, by the proof.
 * An answer that is none of the specified ones, or none at all, is `failed` with a code.
 */
export const addCheckpoint = async ({ url, key }: Witness, c: AddCheckpoint & { size: number }): Promise<Answer> => {
  try {
    const response = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: encodeAddCheckpoint(c),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = await bodyOf(response)
    if (response.status === 200) {
      const line = cosignature(c.note, answer, key)
      return line === undefined ? { kind: 'failed', error: 'no valid cosignature' } : { kind: 'cosigned', line }
    }
    const said = /^(0|[1-9]\d{0,15})\n?$/.exec(answer)?.[1]
    if (response.status === 409 && said !== undefined) {
      const size = Number(said)
      // The same size, asked with it: then the root is another one.
      return size === c.old ? { kind: 'inconsistent', size } : { kind: 'has', size }
    }
    if (response.status === 422 || response.status === 409) return { kind: 'inconsistent', size: c.old }
    return { kind: 'failed', error: `HTTP ${response.status}` }
  } catch (e) {
    const { cause, name } = e as { cause?: { code?: string }; name: string }
    return { kind: 'failed', error: cause?.code ?? name }
  }
}
