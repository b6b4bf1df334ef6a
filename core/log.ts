import { type Logger, pino } from 'pino'
import { errorFacts } from './error-facts.ts'

export type Log = Logger

/** Link tokens (22 base58 characters in a path), telephone numbers and Matrix tokens never reach a log, whoever wrote the text. */
export const redactText = (text: string): string =>
  text
    .replace(/\/l\/[1-9A-HJ-NP-Za-km-z]{16,}/g, '/l/[token]')
    .replace(/([?&](?:access_token|token)=)[^&\s"]+/g, '$1[secret]')
    .replace(/\+\d{6,13}(\d{2})(?!\d)/g, '+…$1')

/** A JSON log on standard error; `service` names the process. Levels as pino's. */
export const createLog = (service: string, level = process.env.WARDROOM_LOG_LEVEL ?? 'info'): Log =>
  pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFacts },
      redact: {
        paths: [
          '*.token',
          '*.body',
          '*.phone',
          '*.dob',
          '*.name',
          'token',
          'phone',
          'dob',
          'authorization',
          'cookie',
          'req.headers',
          'headers',
        ],
        censor: '[redacted]',
      },
      hooks: {
        streamWrite: redactText,
      },
    },
    pino.destination({ dest: 2, sync: true }),
  )
