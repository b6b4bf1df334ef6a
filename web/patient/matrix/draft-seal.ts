import { fromBase64, toBase64 } from './base64.ts'

/** What the ghost's account data holds: the server sees its length, nothing else. */
export type SealedDraft = { v: 1; iv: string; sealed: string }

export type DraftSeal = { seal: (draft: string) => Promise<SealedDraft>; open: (content: unknown) => Promise<string> }

const block = 256

/** Seals drafts with AES-256-GCM under a key derived from K (HKDF-SHA-256), bound to the user. Drafts are padded to 256 bytes, so that their length says little. */
export const draftSeal = async (k: Uint8Array<ArrayBuffer>, userId: string): Promise<DraftSeal> => {
  const text = new TextEncoder()
  const base = await crypto.subtle.importKey('raw', k, 'HKDF', false, ['deriveKey'])
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info: text.encode('io.wardroom.draft') }
  const key = await crypto.subtle.deriveKey(derivation, base, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ])
  const algorithm = (iv: Uint8Array<ArrayBuffer>) => ({ name: 'AES-GCM', iv, additionalData: text.encode(userId) })
  return {
    seal: async draft => {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const plain = text.encode(JSON.stringify(draft))
      const padded = new Uint8Array(Math.ceil(plain.length / block) * block).fill(0x20)
      padded.set(plain)
      const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm(iv), key, padded))
      return { v: 1, iv: toBase64(iv), sealed: toBase64(sealed) }
    },
    open: async content => {
      if (!isSealed(content)) return ''
      const opened = await crypto.subtle.decrypt(algorithm(fromBase64(content.iv)), key, fromBase64(content.sealed))
      const draft: unknown = JSON.parse(new TextDecoder().decode(opened))
      return typeof draft === 'string' ? draft : ''
    },
  }
}

const isSealed = (content: unknown): content is SealedDraft => {
  const { v, iv, sealed } = (content ?? {}) as Partial<SealedDraft>
  return v === 1 && typeof iv === 'string' && typeof sealed === 'string'
}
