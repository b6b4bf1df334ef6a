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

// js-sdk waits five minutes for the key of a live event and cannot be told to stop; no test needs a timer that long, and it must not keep a process alive.
const longest = 300_000
const setTimer = globalThis.setTimeout
globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimer>) => {
  const timer = setTimer(...args)
  if ((args[1] ?? 0) >= longest) timer.unref()
  return timer
}, setTimer) as typeof setTimer
