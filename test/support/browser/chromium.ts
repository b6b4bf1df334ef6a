import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

const written = fileURLToPath(new URL('../../../node_modules/.wardroom-browser', import.meta.url))
const usual = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]

/** The browser's path: `WARDROOM_CHROMIUM`, what setup found or fetched, or one of the usual places. Throws when there is none: no test is skipped in silence. */
export const browserPath = (): string => {
  const fromSetup = existsSync(written) ? [readFileSync(written, 'utf8').trim()] : []
  const path = [process.env.WARDROOM_CHROMIUM, ...fromSetup, ...usual].find(one => one && existsSync(one))
  if (path) return path
  throw new Error(
    'No Chromium was found. Install one (Debian: `apt install chromium`) or set WARDROOM_CHROMIUM to its path.',
  )
}

let launched: Promise<Browser> | null = null

/** One headless Chromium for the whole mocha process, started at the first call. */
export const browser = (): Promise<Browser> => {
  launched ??= chromium.launch({
    executablePath: browserPath(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A microphone that hums, for voice messages; a page still needs the permission.
      '--use-fake-device-for-media-stream',
    ],
  })
  return launched
}

/** Closes the browser when one was started; call it in a root `after`. */
export const closeBrowser = async (): Promise<void> => {
  const closing = launched
  launched = null
  await (await closing)?.close()
}
