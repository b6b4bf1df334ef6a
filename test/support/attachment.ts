import { webcrypto } from 'node:crypto'

/** `file` of an encrypted attachment's event (client-server API, "Sending encrypted attachments", v2). */
export type EncryptedFile = {
  v: 'v2'
  url: string
  key: JsonWebKey & { k?: string }
  iv: string
  hashes: { sha256: string }
}

const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
const { subtle } = webcrypto

/** Encrypts as AES-256-CTR with a fresh key; the caller uploads `data` and fills `url`. */
export const encryptAttachment = async (
  plain: Uint8Array<ArrayBuffer>,
): Promise<{ data: Uint8Array<ArrayBuffer>; file: Omit<EncryptedFile, 'url'> }> => {
  const iv = new Uint8Array(16)
  webcrypto.getRandomValues(iv.subarray(0, 8))
  const key = await subtle.generateKey({ name: 'AES-CTR', length: 256 }, true, ['encrypt', 'decrypt'])
  const data = new Uint8Array(await subtle.encrypt({ name: 'AES-CTR', counter: iv, length: 64 }, key, plain))
  const hash = new Uint8Array(await subtle.digest('SHA-256', data))
  return {
    data,
    file: { v: 'v2', key: await subtle.exportKey('jwk', key), iv: unpadded(iv), hashes: { sha256: unpadded(hash) } },
  }
}

/** Opens an attachment after checking its hash. @throws when the bytes are not those that the event names. */
export const decryptAttachment = async (
  data: Uint8Array<ArrayBuffer>,
  file: EncryptedFile,
): Promise<Uint8Array<ArrayBuffer>> => {
  const hash = unpadded(new Uint8Array(await subtle.digest('SHA-256', data)))
  if (hash !== file.hashes.sha256.replace(/=+$/, '')) throw new Error('the attachment was changed on its way')
  const key = await subtle.importKey('jwk', file.key, { name: 'AES-CTR' }, false, ['decrypt'])
  const counter = new Uint8Array(Buffer.from(file.iv, 'base64'))
  return new Uint8Array(await subtle.decrypt({ name: 'AES-CTR', counter, length: 64 }, key, data))
}
