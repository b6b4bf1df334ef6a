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
