import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { Decrypter } from 'age-encryption'
import { extract } from 'tar-stream'

export type ReadFile = { path: string; bytes: number; sha256: string }
/** Sees a file's chunks; `end` when it is whole. */
export type Listener = { chunk(bytes: Buffer): void; end(): void }

/**
 * Decrypts a package and gives each of its files, in order, to a listener, without keeping them. Any changed byte of the encrypted file is found by its own
 * authentication (ChaCha20-Poly1305 per 64 kB). Returns the files and the SHA-256 of the package. @throws when it is damaged, cut, or for other recipients.
 */
export const readPackage = async (
  file: string,
  identities: readonly string[],
  listenTo: (path: string) => Listener | undefined,
): Promise<{ files: ReadFile[]; sha256: string }> => {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  const whole = createHash('sha256')
  const source = createReadStream(file)
  source.on('data', chunk => whole.update(chunk))
  source.pause()
  const plain = await decrypter.decrypt(Readable.toWeb(source) as unknown as ReadableStream<Uint8Array>)
  const tar = extract()
  const feeding = (async () => {
    for await (const chunk of plain as unknown as AsyncIterable<Uint8Array>)
      if (!tar.write(Buffer.from(chunk))) await new Promise(done => tar.once('drain', done))
    tar.end()
  })()
  feeding.catch(error => tar.destroy(error as Error))
  const files: ReadFile[] = []
  for await (const entry of tar) {
    const hash = createHash('sha256')
    const listener = listenTo(entry.header.name)
    let bytes = 0
    for await (const chunk of entry) {
      hash.update(chunk)
      bytes += chunk.length
      listener?.chunk(chunk)
    }
    listener?.end()
    files.push({ path: entry.header.name, bytes, sha256: hash.digest('hex') })
  }
  await feeding
  return { files, sha256: whole.digest('hex') }
}

const longestLine = 16 * 1024 ** 2

/** Splits a file into lines and gives each to `line`. @throws when a line is longer than 16 MB. */
export const lineListener = (line: (text: string) => void): Listener => {
  let rest: Buffer[] = []
  let held = 0
  return {
    chunk: bytes => {
      let from = 0
      for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, from)) {
        line(Buffer.concat([...rest, bytes.subarray(from, at)]).toString())
        rest = []
        held = 0
        from = at + 1
      }
      if (from < bytes.length) {
        rest.push(Buffer.from(bytes.subarray(from)))
        held += bytes.length - from
      }
      if (held > longestLine) throw new Error('a line of the package is too long')
    },
    end: () => {
      if (held > 0) line(Buffer.concat(rest).toString())
    },
  }
}

/** Keeps a small file whole. @throws when it is larger than 64 MB. */
export const textListener = (whole: (text: string) => void): Listener => {
  const chunks: Buffer[] = []
  let held = 0
  return {
    chunk: bytes => {
      held += bytes.length
      if (held > 64 * 1024 ** 2) throw new Error('a file of the package is too large')
      chunks.push(Buffer.from(bytes))
    },
    end: () => whole(Buffer.concat(chunks).toString()),
  }
}
