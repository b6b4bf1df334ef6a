import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { Random } from './domain/clock.ts'

const cost: ScryptOptions = { N: 16384, r: 8, p: 1 }

const derive = (pin: string, salt: Buffer, bytes: number): Promise<Buffer> =>
  new Promise((done, failed) => {
    scrypt(pin, salt, bytes, cost, (error, key) => (error ? failed(error) : done(key)))
  })

/** A PIN that the desk sets: four to eight digits. */
export const isPin = (value: string): boolean => /^\d{4,8}$/.test(value)

/** `scrypt$salt$hash`, base64url, RFC 7914 with N=2^14, r=8, p=1. */
export const hashPin = async (pin: string, random: Random): Promise<string> => {
  const salt = Buffer.from(random.bytes(16))
  return `scrypt$${salt.toString('base64url')}$${(await derive(pin, salt, 32)).toString('base64url')}`
}

/** Is this the PIN of the hash? False for a text that cannot be a PIN. */
export const verifyPin = async (pin: string, hash: string): Promise<boolean> => {
  const [kind, salt, expected] = hash.split('$')
  if (kind !== 'scrypt' || !salt || !expected || !isPin(pin)) return false
  const want = Buffer.from(expected, 'base64url')
  return timingSafeEqual(await derive(pin, Buffer.from(salt, 'base64url'), want.length), want)
}
