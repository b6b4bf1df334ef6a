import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** A value that never prints: `[secret]` in logs, JSON and inspection; `.reveal()` only at the network's edge. */
export type Secret = { reveal(): string; toString(): string; toJSON(): string }

export const secret = (value: string): Secret => {
  const shown = () => '[secret]'
  return Object.freeze({ reveal: () => value, toString: shown, toJSON: shown, [inspect.custom]: shown })
}

const digest = (s: string) => createHash('sha256').update(s, 'utf8').digest()

/** Compares without telling by its time how much was right, also when the lengths differ. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
