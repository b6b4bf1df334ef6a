/** Looks every 100 ms until there is something; undefined after `timeout` ms. */
export const until = async <T>(look: () => T | undefined, timeout: number): Promise<T | undefined> => {
  const end = performance.now() + timeout
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (performance.now() > end) return undefined
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
