import { fromBase64, toBase64 } from './base64.ts'

/** `file` of an encrypted attachment (Matrix client-server API, "Sending encrypted attachments", version v2). */
export type EncryptedFile = { v: 'v2'; url: string; key: JsonWebKey; iv: string; hashes: { sha256: string } }

/** Encrypts with AES-256-CTR under a fresh key; the caller uploads `sealed` and adds the `url`. */
export const sealAttachment = async (plain: Blob): Promise<{ sealed: Blob; file: Omit<EncryptedFile, 'url'> }> => {
  const iv = new Uint8Array(16)
  // The lower 64 bits count blocks and start at zero.
  crypto.getRandomValues(iv.subarray(0, 8))
  const key = await crypto.subtle.generateKey({ name: 'AES-CTR', length: 256 }, true, ['encrypt', 'decrypt'])
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-CTR', counter: iv, length: 64 },
    key,
    await plain.arrayBuffer(),
  )
  const { k } = await crypto.subtle.exportKey('jwk', key)
  const jwk = { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k, ext: true }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', sealed))
  return {
    sealed: new Blob([sealed], { type: 'application/octet-stream' }),
    file: { v: 'v2', key: jwk, iv: toBase64(iv), hashes: { sha256: toBase64(hash) } },
  }
}

/** Checks the hash, then decrypts. Throws when the bytes are not what the sender encrypted. */
export const openAttachment = async (sealed: ArrayBuffer, file: EncryptedFile): Promise<ArrayBuffer> => {
  const hash = toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', sealed)))
  if (hash !== file.hashes.sha256.replace(/=+$/, '')) throw new Error('the attachment was changed on its way')
  const key = await crypto.subtle.importKey('jwk', file.key, { name: 'AES-CTR' }, false, ['decrypt'])
  return crypto.subtle.decrypt({ name: 'AES-CTR', counter: fromBase64(file.iv), length: 64 }, key, sealed)
}

const shown = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'application/pdf'])

/**
 * The type that a decrypted file may have in the browser: pictures, sound and PDF as they are, all else opaque bytes. A page or a drawing with scripts
 * would otherwise run with this page's rights when it is opened.
 */
export const safeType = (mime: string): string => {
  const plain = mime.toLowerCase().split(';')[0]!.trim()
  return shown.has(plain) || /^audio\/[\w.+-]+$/.test(plain) ? plain : 'application/octet-stream'
}
