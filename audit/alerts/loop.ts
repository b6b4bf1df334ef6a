export type Loop = {
  /** Runs soon, once more after what runs now. */
  poke(): void
  /** Waits for what runs. */
  stop(): Promise<void>
}

/** Runs at once, then every so often and when poked, never twice at a time. What is thrown goes to `failed`, and the loop goes on. */
export const startLoop = (o: { everyMs: number; run: () => Promise<void>; failed: (err: unknown) => void }): Loop => {
  let stopped = false
  let poked = false
  let awake: (() => void) | undefined
  const pause = () =>
    new Promise<void>(done => {
      const timer = setTimeout(done, o.everyMs)
      awake = () => {
        clearTimeout(timer)
        done()
      }
    })
  const loop = (async () => {
    while (!stopped) {
      poked = false
      await o.run().catch(o.failed)
      if (!stopped && !poked) await pause()
    }
  })()
  const poke = () => {
    poked = true
    awake?.()
  }
  return {
    poke,
    stop: async () => {
      stopped = true
      poke()
      await loop
    },
  }
}
