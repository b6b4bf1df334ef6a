import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { activity, dcm, system } from './make.ts'

/** The service itself: its processes, its jobs, and events that it gave up. */
export const serviceEvents = {
  'event.poison': system('Event given up', 'gave {object} up', 'handle {object}', activity('E'), {
    failed: 'could not handle {object} and went on without it',
    severity: 6,
  }),
  'job.done': system('Job done', 'did {object}[ ({kind})]', 'do {object}[ ({kind})]', activity('E'), { severity: 1 }),
  'job.failed': system('Job given up', 'gave {object} up', 'do {object}', activity('E'), {
    failed: 'gave up {object}[ ({kind})][ after {attempts} tries]',
    severity: 6,
  }),
  'service.start': system(
    'Service started',
    'started {object}',
    'start {object}',
    dcm(event.activity, 'E', event.start),
    {
      severity: 3,
    },
  ),
  'service.stop': system('Service stopped', 'stopped {object}', 'stop {object}', dcm(event.activity, 'E', event.stop), {
    severity: 4,
  }),
} as const satisfies EventsOf<'event' | 'job' | 'service'>
