import type { EventsOf } from './entry.ts'
import { access, activity, communication, read } from './make.ts'

/** Messages in rooms, and the tasks of those that reach nobody. */
export const messageEvents = {
  'message.sent': communication('Message sent', 'sent {object}[ ({type})]', 'send a message', activity('C'), {
    severity: 1,
  }),
  'message.edit': communication('Message edited', 'edited {object}', 'edit {object}', activity('U')),
  'message.redact': communication('Message removed', 'removed {object}', 'remove {object}', activity('D'), {
    severity: 4,
  }),
  'message.receipt': communication('Read receipt', 'showed as read up to {object}', 'show as read', activity('R'), {
    severity: 1,
  }),
  'message.notice': communication(
    'Message noticed',
    'wrote {object}; a text tells of it',
    'tell of {object}',
    activity('E'),
  ),
  'message.read': access('Message read', 'read {object}', 'read {object}', read),
  'message.failed': communication(
    'Message not reached',
    'reached nobody with {object}',
    'deliver {object}',
    activity('E'),
    {
      failed: 'could not bring {object} to its reader[ ({failure})]',
      severity: 5,
    },
  ),
  'task.open': communication(
    'Task opened',
    'asked the team to call, because of {object}[ ({why})]',
    'open a task',
    activity('C'),
  ),
  'task.close': communication('Task closed', 'closed the task of {object}', 'close a task', activity('U')),
} as const satisfies EventsOf<'message' | 'task'>
