import type { EventsOf } from './entry.ts'
import { access, activity, alert, communication, security, system } from './make.ts'

/** Pages and alarms. */
export const pageEvents = {
  'page.create': communication('Page', 'paged: {object}[, {priority}][, to {role}]', 'page somebody', activity('C'), {
    severity: 4,
  }),
  'page.join': communication('Page joined', 'sent one more of page {object}', 'join page {object}', activity('U')),
  'page.contact': communication(
    'Called about a page',
    'called somebody about page {object}[ by {way}]',
    'call somebody about page {object}',
    activity('E'),
    { severity: 3 },
  ),
  'page.accept': communication('Page accepted', 'accepted page {object}', 'accept page {object}', activity('U'), {
    severity: 4,
  }),
  'page.decline': communication('Page declined', 'declined page {object}', 'decline page {object}', activity('U'), {
    severity: 4,
  }),
  'page.hand_over': communication(
    'Page handed over',
    'handed page {object} over',
    'hand page {object} over',
    activity('U'),
    { severity: 4 },
  ),
  'page.raise': communication('Page raised', 'made page {object} more urgent', 'raise page {object}', activity('U'), {
    severity: 4,
  }),
  'page.resolve': communication('Page resolved', 'resolved page {object}', 'resolve page {object}', activity('U'), {
    severity: 4,
  }),
  'page.exhaust': communication(
    'Page that nobody accepted',
    'called the fallback of page {object}',
    'bring page {object} to somebody',
    activity('E'),
    { failed: 'found nobody who accepts page {object}', severity: 8 },
  ),
  'page.refuse': communication(
    'Answer to a page refused',
    'answered page {object}',
    'answer page {object}[ ({answer})]',
    activity('U'),
    { severity: 4 },
  ),
  'page.clock': system(
    'Clock set',
    'moved open pages with the clock, which was set[ by {step} ms][: {pages} pages]',
    'move pages with the clock',
    activity('E'),
    { severity: 6 },
  ),
  'page.forget': system(
    'Pages closed',
    'closed old pages and forgot their words[: {count}]',
    'forget pages',
    activity('D'),
  ),
  'page.chat_away': system(
    'Chat away',
    'found the homeserver away; pages go by telephone',
    'find the homeserver away',
    activity('E'),
    { severity: 6 },
  ),
  'page.chat_back': system(
    'Chat back',
    'found the homeserver back[ after {seconds} s][: {pages} pages meanwhile]',
    'find the homeserver back',
    activity('E'),
    { severity: 6 },
  ),
  'page.view': access('Pages viewed', 'looked at pages ({object})', 'look at pages', alert),
  'alarm.receive': communication('Alarm', 'raised an alarm ({object})', 'raise an alarm ({object})', activity('C'), {
    severity: 4,
  }),
  'alarm.add_source': security(
    'Alarm source added',
    'let the source {object} raise alarms[ for {role}]',
    'add the alarm source {object}',
    alert,
    { severity: 6 },
  ),
  'alarm.revoke_source': security(
    'Alarm source revoked',
    'took from the source {object} the right to raise alarms',
    'revoke the alarm source {object}',
    alert,
    { severity: 6 },
  ),
} as const satisfies EventsOf<'page' | 'alarm'>
