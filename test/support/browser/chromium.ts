import { type Browser, chromium } from 'playwright-core'
import { findBrowser } from '../../../cli/setup/browser.ts'

let launched: Promise<Browser> | null = null

/** One headless Chromium for the whole mocha process, started at the first call. @throws when setup has found none: no test is skipped in silence. */
export const browser = (): Promise<Browser> => {
  launched ??= launch()
  return launched
}

const launch = async (): Promise<Browser> => {
  const found = await findBrowser()
  if (!found) throw new Error('No Chromium was found: run `node setup.mjs test`, or name one in WARDROOM_CHROMIUM.')
  return chromium.launch({
    executablePath: found.executablePath,
    env: { ...process.env, ...found.env },
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A microphone that hums, for voice messages, and nobody to ask: a headless shell refuses it otherwise.
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  })
}

/** Closes the browser when one was started; call it in a root `after`. */
export const closeBrowser = async (): Promise<void> => {
  const closing = launched
  launched = null
  await (await closing)?.close()
}
