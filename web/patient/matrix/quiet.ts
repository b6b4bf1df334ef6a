import type { Logger } from 'matrix-js-sdk/lib/logger.js'

const nothing = (): void => undefined

/** The SDK says nothing in a patient's console: ids and keys do not belong there. */
export const quiet: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => quiet,
}
