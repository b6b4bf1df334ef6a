import { randomBytes } from 'node:crypto'
import type { Clock, Random } from './domain/clock.ts'

/** The machine's clock and its cryptographic randomness: what services use outside tests. */
export const systemClock: Clock = { now: () => Date.now() }
export const systemRandom: Random = { bytes: n => new Uint8Array(randomBytes(n)) }
