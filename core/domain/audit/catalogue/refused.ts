import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { alert, dcm, security } from './make.ts'

/** What was refused before anybody was known. */
export const refusedEvents = {
  'request.refused': security('Request refused', 'answered {object}', 'use {object}', alert, {
    refused: 'was refused at {object}[ with {status}][, {count} times in a minute]',
  }),
  'request.limited': security('Too many requests', 'answered {object}', 'use {object}', alert, {
    refused: 'was slowed down at {object}[, {count} times in a minute]',
  }),
  'transaction.refused': security(
    'Homeserver transaction refused',
    'took a transaction',
    'push a transaction',
    dcm(event.alert, 'E', event.node),
    {
      refused: 'was refused as homeserver[ with {status}][, {count} times in a minute]',
      severity: 7,
    },
  ),
  'webhook.refused': security(
    'SMS webhook refused',
    'took a webhook',
    'call {object}',
    dcm(event.alert, 'E', event.node),
    {
      refused: 'was refused as SMS provider at {object}[ with {status}][, {count} times in a minute]',
      severity: 6,
    },
  ),
} as const satisfies EventsOf<'request' | 'transaction' | 'webhook'>
