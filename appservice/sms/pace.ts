/** Resolves when the next text may go to the provider. */
export type Pace = () => Promise<void>

/** At most so many a second, evenly, first come first served. Each process has its own: with N senders give each its share of the registered rate. */
export const pace = (perSecond: number, time: { now(): number; wait(ms: number): Promise<void> } = realTime): Pace => {
  const gap = 1000 / perSecond
  let next = 0
  return async () => {
    const now = time.now()
    const mine = Math.max(now, next)
    next = mine + gap
    if (mine > now) await time.wait(mine - now)
  }
}

const realTime = {
  now: () => performance.now(),
  wait: (ms: number) => new Promise<void>(done => setTimeout(done, ms)),
}
