import { logger as globalLogger, type Logger } from 'matrix-js-sdk/lib/logger.js'

const nothing = () => undefined
const quiet: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => quiet,
}

type Factory = { methodFactory: () => () => void; rebuild(): void }

/** A logger for test clients: silent unless WARDROOM_SDK_LOG is set; js-sdk writes thousands of lines otherwise. Its child loggers inherit the silence. */
export const sdkLogger = (): Logger => {
  if (process.env.WARDROOM_SDK_LOG) return globalLogger
  const global = globalLogger as unknown as Factory
  global.methodFactory = () => nothing
  global.rebuild()
  return quiet
}
