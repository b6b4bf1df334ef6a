import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'

/** A file of unknown length on its way into the package. */
export type Scratch = {
  write(chunk: string | Uint8Array): Promise<void>
  /** No more is written after it. */
  end(): Promise<{ bytes: number; sha256: string }>
  read(): AsyncGenerator<Buffer>
  close(): Promise<void>
}

const flushAt = 256 * 1024
const blockBytes = 256 * 1024

/**
 * Keeps what was decrypted until its length is known, encrypted on disk under a key that only this process has (AES-256-CTR); the file has no name from the first
 * moment on, so that a kill leaves nothing. At most a quarter of a megabyte of it is in memory.
 */
export const openScratch = async (beside: string): Promise<Scratch> => {
  const path = `${beside}.scratch-${randomBytes(6).toString('hex')}`
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  const [key, iv] = [randomBytes(32), randomBytes(16)]
  const cipher = createCipheriv('aes-256-ctr', key, iv)
  const hash = createHash('sha256')
  let bytes = 0
  let waiting: Buffer[] = []
  let size = 0
  const flush = async () => {
    const block = cipher.update(Buffer.concat(waiting))
    waiting = []
    size = 0
    await file.write(block)
  }
  return {
    write: async chunk => {
      const plain = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk)
      hash.update(plain)
      bytes += plain.length
      waiting.push(plain)
      size += plain.length
      if (size >= flushAt) await flush()
    },
    end: async () => {
      await flush()
      return { bytes, sha256: hash.digest('hex') }
    },
    read: async function* () {
      const decipher = createDecipheriv('aes-256-ctr', key, iv)
      for (let at = 0; at < bytes; ) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(blockBytes, bytes - at)), 0, null, at)
        if (bytesRead === 0) throw new Error('a scratch file ended early')
        at += bytesRead
        yield decipher.update(buffer.subarray(0, bytesRead))
      }
    },
    close: () => file.close(),
  }
}
