import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Encrypter } from 'age-encryption'
import { pack as tarPack } from 'tar-stream'
import type { Scratch } from './scratch.ts'

export type PackedFile = { path: string; bytes: number; sha256: string }

/** A tar archive that is encrypted while it is written (age-encryption.org/v1) and has its name only once it is whole. */
export type PackageWriter = {
  add(path: string, content: string | Uint8Array): Promise<PackedFile>
  /** Takes over an ended scratch file and closes it. */
  addScratch(path: string, scratch: Scratch, size: { bytes: number; sha256: string }): Promise<PackedFile>
  finish(): Promise<{ bytes: number; sha256: string }>
  /** Leaves nothing behind. */
  abort(): Promise<void>
}

/** @throws when the file exists already: a package is never replaced. */
export const openPackage = async (
  file: string,
  { recipients, at }: { recipients: readonly string[]; at: Date },
): Promise<PackageWriter> => {
  if (await stat(file).catch(() => undefined)) throw new Error(`${file} is there already`)
  const part = `${file}.part`
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  const tar = tarPack()
  const plain = Readable.toWeb(Readable.from(tar, { objectMode: false })) as unknown as ReadableStream<Uint8Array>
  const sealed = await encrypter.encrypt(plain)
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  await rm(part, { force: true })
  const writing = pipeline(
    Readable.fromWeb(sealed as Parameters<typeof Readable.fromWeb>[0]),
    count,
    createWriteStream(part, { mode: 0o600, flags: 'wx' }),
  )
  writing.catch(() => undefined) // thrown by whoever waits for it

  const entry = (path: string, size: number, feed: (write: (c: Uint8Array) => Promise<void>) => Promise<void>) =>
    new Promise<void>((resolve, reject) => {
      const sink = tar.entry({ name: path, size, mode: 0o600, mtime: at }, error => (error ? reject(error) : resolve()))
      const write = async (chunk: Uint8Array) => {
        if (!sink.write(chunk))
          await Promise.race([new Promise(done => sink.once('drain', done)), writing.then(() => undefined)])
      }
      feed(write).then(() => sink.end(), reject)
      writing.catch(reject)
    })
  return {
    add: async (path, content) => {
      const buffer = Buffer.from(content)
      await entry(path, buffer.length, write => write(buffer))
      return { path, bytes: buffer.length, sha256: createHash('sha256').update(buffer).digest('hex') }
    },
    addScratch: async (path, scratch, size) => {
      await entry(path, size.bytes, async write => {
        for await (const chunk of scratch.read()) await write(chunk)
      })
      await scratch.close()
      return { path, ...size }
    },
    finish: async () => {
      tar.finalize()
      await writing
      await rename(part, file)
      return { bytes, sha256: hash.digest('hex') }
    },
    abort: async () => {
      tar.destroy()
      await writing.catch(() => undefined)
      await rm(part, { force: true })
    },
  }
}
