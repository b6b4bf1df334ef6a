/** Branded identifiers: a string of one kind is never taken for another. */
type Brand<B extends string> = string & { readonly __brand: B }

export type UserId = Brand<'UserId'>
export type RoomId = Brand<'RoomId'>
export type EventId = Brand<'EventId'>
export type DeviceId = Brand<'DeviceId'>
/** `pt_…`: a patient of the clinic; owns a care room. */
export type PatientId = Brand<'PatientId'>
/** `ps_…`: a person with a telephone: the patient or a caregiver; owns a ghost. */
export type PersonId = Brand<'PersonId'>
/** `ln_…`: a secure link; its secret token is not its id. */
export type LinkId = Brand<'LinkId'>
/** `se_…` */
export type SessionId = Brand<'SessionId'>
/** `tx_…`: one outgoing SMS. */
export type TextId = Brand<'TextId'>

export type IdPrefix =
  | 'pt'
  | 'ps'
  | 'ln'
  | 'se'
  | 'tx'
  | 'cs'
  | 'ap'
  | 'jb'
  | 'nt'
  | 'in'
  | 'al'
  | 'as'
  | 'rp'
  | 'lh'
  | 'ep'
  | 'dr'
  | 'ex'
  | 'ov'
  | 'tp'
  | 'ab'
  | 'sw'
  | 'sc'
  | 'fd'
  | 'pg'
  | 'sr'
  | 'kd'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** Crockford base32 in lower case: no letter that is misread aloud. Five bits a byte given. */
export const base32 = (bytes: Uint8Array): string => Array.from(bytes, b => alphabet[b & 31]).join('')

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A number's base58 digits, padded to the length that 16 bytes need (22): letters and digits only, so that no telephone's link recogniser cuts it. */
export const base58Token = (bytes: Uint8Array): string => {
  let n = 0n
  for (const b of bytes) n = n * 256n + BigInt(b)
  let out = ''
  while (out.length < Math.ceil((bytes.length * 8) / Math.log2(58))) {
    out = base58[Number(n % 58n)] + out
    n /= 58n
  }
  return out
}

/** A new identifier with 80 random bits, e.g. `pt_7k2m…`. */
export const newId = <T extends string>(prefix: IdPrefix, random: { bytes(n: number): Uint8Array }): T =>
  `${prefix}_${base32(random.bytes(16))}` as T
