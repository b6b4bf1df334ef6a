/** Starts `work` at an even pace, whether or not the earlier ones have ended, and gives all results. */
export const paced = async <T>(count: number, perSecond: number, work: (n: number) => Promise<T>): Promise<T[]> => {
  const begin = performance.now()
  const running: Promise<T>[] = []
  for (let n = 0; n < count; n++) {
    const wait = begin + (n * 1000) / perSecond - performance.now()
    if (wait > 0) await new Promise(done => setTimeout(done, wait))
    const one = work(n)
    one.catch(() => undefined) // reported below
    running.push(one)
  }
  return Promise.all(running)
}
