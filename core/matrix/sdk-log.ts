import { logger as global } from 'matrix-js-sdk/lib/logger.js'
import type { Log } from '../log.ts'

type SdkLogger = {
  trace(this: void): void
  debug(this: void): void
  info(this: void): void
  warn(this: void, ...words: unknown[]): void
  error(this: void, ...words: unknown[]): void
  getChild(namespace: string): SdkLogger
}

const nothing = () => {}

/** Only an error's name and the fixed words of a line: the SDK's own lines may hold ids by the thousand. */
const words = (line: unknown[]) =>
  line
    .map(part => (part instanceof Error ? `${part.name}: ${part.message}` : typeof part === 'string' ? part : ''))
    .join(' ')
    .slice(0, 300)

// Some of the SDK's parts ignore the logger that they are given and make children of this one (loglevel, absent from the type).
const silence = () => {
  const root = global as unknown as { methodFactory: () => () => void; rebuild(): void }
  root.methodFactory = () => nothing
  root.rebuild()
}

/** What js-sdk gets as its logger: silent but for warnings and errors, which go to our log at debug level, because the caller decides what is wrong. */
export const sdkLogger = (log?: Log): SdkLogger => {
  silence()
  const tell = log ? (...line: unknown[]) => log.debug({ sdk: words(line) }, 'sdk') : nothing
  const logger: SdkLogger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: tell,
    error: tell,
    getChild: () => logger,
  }
  return logger
}
