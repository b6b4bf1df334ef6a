/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number

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
