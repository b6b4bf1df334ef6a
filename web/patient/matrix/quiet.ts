import { type Logger, logger } from 'matrix-js-sdk/lib/logger.js'

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

/** Some parts of the SDK use its global logger whatever they are given; `false` keeps the choice out of the browser's storage. */
export const hush = (): void => {
  const levels = logger as unknown as { setLevel: (level: 'silent', persist: boolean) => void }
  levels.setLevel('silent', false)
}
