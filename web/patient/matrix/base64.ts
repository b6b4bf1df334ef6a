/** Base64 (either alphabet, with or without padding) → bytes; throws on anything else. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, ''))
  return Uint8Array.from(plain, character => character.charCodeAt(0))
}

/** Bytes → unpadded base64, as Matrix writes it. */
export const toBase64 = (bytes: Uint8Array): string => {
  let plain = ''
  for (const byte of bytes) plain += String.fromCharCode(byte)
  return btoa(plain).replace(/=+$/, '')
}
