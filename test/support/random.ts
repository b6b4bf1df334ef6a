import { createCipheriv, createHash, randomInt } from 'node:crypto'
import type { Random } from '../../core/domain/clock.ts'

/** The run's seed: WARDROOM_SEED repeats a run. Printed once. */
export const seed: number = Number(process.env.WARDROOM_SEED ?? randomInt(2 ** 31))
console.log(`random seed: WARDROOM_SEED=${seed}`)

export type SeededRandom = Random & {
  /** 0 ≤ n < below */
  int(below: number): number
  pick<T>(list: readonly T[]): T
}

/** Reproducible bytes from the run's seed; each `name` is a stream of its own. */
export const seededRandom = (name: string): SeededRandom => {
  const key = createHash('sha256').update(`${seed} ${name}`).digest()
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const bytes = (n: number) => new Uint8Array(stream.update(Buffer.alloc(n)))
  const int = (below: number) => Buffer.from(bytes(6)).readUIntBE(0, 6) % below
  return { bytes, int, pick: list => list[int(list.length)] as (typeof list)[number] }
}
