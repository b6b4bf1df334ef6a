/** A patient's public code, e.g. `K7M-4QP`: what staff say aloud and rooms are named by. Six of 28 letters and digits that are not misread. */
const letters = '23456789BCDFGHJKMNPQRSTVWXYZ'

export const patientCode = (bytes: Uint8Array): string => {
  const chars = Array.from(bytes.slice(0, 6), b => letters[b % letters.length])
  return `${chars.slice(0, 3).join('')}-${chars.slice(3).join('')}`
}

/** Reads a code as people type it: any case, with or without the dash. Null when it cannot be one. */
export const readPatientCode = (input: string): string | null => {
  const plain = input.toUpperCase().replace(/[\s-]/g, '')
  if (plain.length !== 6 || [...plain].some(c => !letters.includes(c))) return null
  return `${plain.slice(0, 3)}-${plain.slice(3)}`
}

/** `1953-04-09`, a day that exists, not in the future and not more than 130 years ago; null otherwise. */
export const readBirthDate = (input: string, today: string): string | null => {
  const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(input)
  if (!m) return null
  const date = new Date(Date.UTC(Number(m[1]), Number(m[2]) - 1, Number(m[3])))
  if (date.toISOString().slice(0, 10) !== input) return null
  return input <= today && Number(m[1]) > Number(today.slice(0, 4)) - 131 ? input : null
}

export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .map(w => `${[...w][0]?.toUpperCase() ?? ''}.`)
    .join('')

export type NamePolicy = 'code' | 'initials' | 'full'

/** A care room's name under the clinic's policy; the code always stands in it, because it is what commands take. */
export const careRoomName = (policy: NamePolicy, code: string, name: string | null): string =>
  policy === 'code' || !name ? code : `${policy === 'full' ? name : initials(name)} · ${code}`

/** Why a text goes out: the classes that a notice may name. */
export type Preference = 'sms' | 'phone' | 'portal' | 'none'
