/** What whatever is started gives back. */
export type Stoppable = { stop(): Promise<unknown> }

/** Notes a part that runs, so that it will be stopped, and hands it back. */
export type Started = <P extends Stoppable>(part: P) => P

/**
 * Starts a service part by part: `start` hands each part to `started` as soon as it runs. The returned `stop` ends them in reverse order, once.
 * @throws what `start` throws, after it has stopped the parts that ran already.
 */
export const startParts = async <T extends object>(
  start: (started: Started) => Promise<T>,
): Promise<T & { stop(): Promise<void> }> => {
  const running: Stoppable[] = []
  const started: Started = part => {
    running.push(part)
    return part
  }
  const stop = async () => {
    for (const part of running.splice(0).reverse()) await part.stop()
  }
  try {
    return { ...(await start(started)), stop }
  } catch (e) {
    await stop()
    throw e
  }
}
