import { scryptSync, timingSafeEqual } from 'node:crypto'
import type { Random } from './domain/clock.ts'

const cost = { N: 16384, r: 8, p: 1 }

/** A PIN that the desk sets: four to eight digits. */
export const isPin = (value: string): boolean => /^\d{4,8}$/.test(value)

/** `scrypt$salt$hash`, base64url, RFC 7914 with N=2^14, r=8, p=1. */
export const hashPin = (pin: string, random: Random): string => {
  const salt = Buffer.from(random.bytes(16))
  return `scrypt$${salt.toString('base64url')}$${scryptSync(pin, salt, 32, cost).toString('base64url')}`
}

/** Is this the PIN of the hash? False for a text that cannot be a PIN. */
export const verifyPin = (pin: string, hash: string): boolean => {
  const [kind, salt, expected] = hash.split('$')
  if (kind !== 'scrypt' || !salt || !expected || !isPin(pin)) return false
  const want = Buffer.from(expected, 'base64url')
  return timingSafeEqual(scryptSync(pin, Buffer.from(salt, 'base64url'), want.length, cost), want)
}
