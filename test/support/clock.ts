import type { Clock, Instant } from '../../core/domain/clock.ts'

/** A clock that runs with the real one until the test moves it: `advance` adds milliseconds, `set` jumps, `freeze` stands still. */
export type TestClock = Clock & { advance(ms: number): void; set(at: Instant): void; freeze(at?: Instant): void }

export const testClock = (): TestClock => {
  let offset = 0
  let frozen: Instant | undefined
  const now = () => frozen ?? Date.now() + offset
  return {
    now,
    advance: ms => {
      if (frozen === undefined) offset += ms
      else frozen += ms
    },
    set: at => {
      if (frozen === undefined) offset = at - Date.now()
      else frozen = at
    },
    freeze: at => {
      frozen = at ?? now()
    },
  }
}
