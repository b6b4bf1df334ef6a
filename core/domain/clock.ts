/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number

const latest: Instant = 8_640_000_000_000_000 // ECMA-262, "Time Values and Time Range"

/** Whether a date can be made of it. */
export const isInstant = (at: unknown): at is Instant => Number.isSafeInteger(at) && Math.abs(at as number) <= latest

/** As ISO 8601, to the millisecond; what lies outside all calendars, as another server may claim of an event, is their end. */
export const isoOf = (at: Instant): string =>
  new Date(Math.max(-latest, Math.min(latest, Math.trunc(at) || 0))).toISOString()

/** The only source of time: a test moves it. */
export interface Clock {
  now(): Instant
}

/** The only source of randomness: a test seeds it. */
export interface Random {
  bytes(n: number): Uint8Array
}

export const seconds = (n: number): number => n * 1000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000
