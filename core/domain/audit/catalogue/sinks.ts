import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { activity, administration, alert, configuration, dcm, logUsed, security, system } from './make.ts'

/** Where the log is sent, and the alerts over it. */
export const sinkEvents = {
  'sink.add': administration(
    'Sink added',
    'added the sink {object}[ ({type})]',
    'add the sink {object}',
    configuration('C'),
    { severity: 6 },
  ),
  'sink.change': administration(
    'Sink changed',
    'changed the sink {object}',
    'change the sink {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'sink.remove': administration(
    'Sink removed',
    'removed the sink {object}',
    'remove the sink {object}',
    configuration('D'),
    { severity: 8 },
  ),
  'sink.test': administration(
    'Sink tested',
    'sent a test to the sink {object}',
    'test the sink {object}',
    activity('E'),
  ),
  'sink.pause': administration(
    'Sink paused',
    'paused the sink {object}',
    'pause the sink {object}',
    dcm(event.alert, 'U', event.recordingStopped),
    { severity: 7 },
  ),
  'sink.resume': administration(
    'Sink resumed',
    'let the sink {object} go on',
    'resume the sink {object}',
    dcm(event.alert, 'U', event.recordingStarted),
  ),
  'sink.replay': administration(
    'Sink replayed',
    'sent entries again to the sink {object}[ from {from}]',
    'replay the sink {object}',
    activity('E'),
    { severity: 5 },
  ),
  'sink.dead_letter': system(
    'Entry not accepted by a sink',
    'set an entry aside that {object} does not take',
    'export to {object}',
    activity('E'),
    {
      failed: 'set entries aside that the sink {object} does not take[, {count}]',
      severity: 7,
    },
  ),
  'alert.raise': security('Alert', 'raised the alert {object}[: {rule}]', 'raise the alert {object}', alert, {
    severity: 8,
  }),
  'alert.clear': security('Alert over', 'closed the alert {object}', 'close the alert {object}', alert, {
    severity: 3,
  }),
  'alert.rule': administration(
    'Alert rule changed',
    'changed the alert rule {object}',
    'change the alert rule {object}',
    configuration('U'),
    {
      severity: 7,
    },
  ),
  'alert.try': administration(
    'Alert rule tried',
    'tried the alert rule {object} on past events',
    'try the alert rule {object}',
    logUsed('E'),
  ),
} as const satisfies EventsOf<'sink' | 'alert'>
