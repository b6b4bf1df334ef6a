import { closeBrowser } from './browser/chromium.ts'
import { stopStack } from './stack.ts'

/** Mocha's root hooks (`--require test/support/hooks.ts`): whatever a test started through `stack()` ends with the process. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context) {
    this.timeout(60_000)
    await closeBrowser()
    await stopStack()
  },
}

// No timer of js-sdk's may keep a process alive: it waits five minutes for the key of a live event, and a random time, which is no whole number, before it backs up
// keys; neither can be told to stop.
const longest = 300_000
const setTimer = globalThis.setTimeout
globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimer>) => {
  const timer = setTimer(...args)
  const ms = args[1] ?? 0
  if (ms >= longest || !Number.isInteger(ms)) timer.unref()
  return timer
}, setTimer) as typeof setTimer
