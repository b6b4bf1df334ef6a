import { logger as globalLogger, type Logger } from 'matrix-js-sdk/lib/logger.js'

const nothing = () => undefined

/** js-sdk goes on after these and loses what the sync brought: the one thing that a test must hear. */
const lostChanges = /Caught \/sync error|Failed to process events/
const tellLostChanges = (...words: unknown[]): void => {
  if (lostChanges.test(String(words[0]))) console.error('      js-sdk:', ...words)
}
const quiet: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: tellLostChanges,
  getChild: () => quiet,
}

type Factory = { methodFactory: () => () => void; rebuild(): void }

/** A logger for test clients: silent, but for what a sync lost, unless WARDROOM_SDK_LOG is set; js-sdk writes thousands of lines otherwise. Its child loggers inherit the silence. */
export const sdkLogger = (): Logger => {
  if (process.env.WARDROOM_SDK_LOG) return globalLogger
  const global = globalLogger as unknown as Factory
  global.methodFactory = () => nothing
  global.rebuild()
  return quiet
}
