import { createDecipheriv, createHash } from 'node:crypto'
import type { FileOfMessage } from '../../domain/records/export-line.ts'
import type { Homeserver } from '../../matrix/homeserver.ts'
import { openScratch, type Scratch } from './scratch.ts'

export type Fetched = { scratch: Scratch; size: { bytes: number; sha256: string } } | { missing: string }

const mostBytes = 2 * 1024 ** 3

/**
 * Fetches a file as a member of the room, decrypts it on its way (AES-256-CTR) and compares the ciphertext's SHA-256 with what the message says. What is gone or
 * was changed comes back as a sentence. @throws when the homeserver is away.
 */
export const fetchMedia = async (
  { homeserver, userId, beside }: { homeserver: Homeserver; userId: string; beside: string },
  file: FileOfMessage,
): Promise<Fetched> => {
  const [, server, id] = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]+)$/.exec(file.mxc) ?? []
  if (!server || !id) return { missing: 'the message names no file' }
  const path = `/_matrix/client/v1/media/download/${encodeURIComponent(server)}/${encodeURIComponent(id)}?timeout_ms=20000`
  const answer = await homeserver.fetchAs({ userId })(homeserver.url + path, { signal: AbortSignal.timeout(600_000) })
  if (!answer.ok || !answer.body) {
    await answer.body?.cancel()
    if (answer.status >= 500 && answer.status !== 502 && answer.status !== 504)
      throw new Error(`the media store answered ${answer.status}`)
    return { missing: `the media store has it no more (${answer.status})` }
  }
  const scratch = await openScratch(beside)
  try {
    const hash = createHash('sha256')
    const cipher = file.key
      ? createDecipheriv('aes-256-ctr', Buffer.from(file.key.k, 'base64url'), Buffer.from(file.key.iv, 'base64'))
      : undefined
    let bytes = 0
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > mostBytes) break
      hash.update(chunk)
      await scratch.write(cipher ? cipher.update(chunk) : chunk)
    }
    const whole = bytes <= mostBytes
    const fits = !file.key || hash.digest('base64').replace(/=+$/, '') === file.key.sha256.replace(/=+$/, '')
    if (whole && fits) return { scratch, size: await scratch.end() }
    await scratch.close()
    return { missing: whole ? 'the media store has another file than the one that was sent' : 'it is larger than 2 GB' }
  } catch (error) {
    await scratch.close()
    // A key or a nonce of the wrong length: whoever wrote the message made it up.
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_CRYPTO')) return { missing: 'its key is no key' }
    throw error
  }
}
