import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { activity, administration, communication, configuration, consent, dcm, update } from './make.ts'

/** Text messages: numbers, texts and their templates. */
export const textEvents = {
  'number.stop': consent(
    'Texts stopped',
    'stopped all texts to the number of {object}',
    'stop the texts to the number of {object}',
    update,
    { severity: 5 },
  ),
  'number.start': consent(
    'Texts started',
    'let the number of {object} be texted again',
    'let the number of {object} be texted again',
    update,
  ),
  'number.help': communication('HELP answered', 'asked by text for help', 'ask by text for help', activity('R')),
  'text.queue': communication(
    'Text queued',
    'put a text in the queue[ ({template})]',
    'put a text in the queue[ ({template})]',
    activity('C'),
    { refused: 'held back a text[ ({template})] to {object}' },
  ),
  'text.send': communication(
    'Text sent',
    'gave {object} to the carrier[, {provider}]',
    'send {object}[ ({code})]',
    dcm(event.export, 'R'),
  ),
  'text.status': communication(
    'Text delivered or not',
    'reported {object}[: {status}]',
    'deliver {object}',
    activity('U'),
    { failed: 'reported that {object} was not delivered[ ({class}, {code})]' },
  ),
  'text.inbound': communication('Text received', 'sent us a text[ ({meaning})]', 'send us a text', activity('C')),
  'template.propose': administration(
    'Template proposed',
    'proposed new words for the text {object}[, version {version}]',
    'propose new words for the text {object}',
    configuration('C'),
  ),
  'template.approve': administration(
    'Template approved',
    'approved new words for the text {object}[, version {version}][, proposed by {proposed_by}]',
    'approve new words for the text {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'template.view': administration(
    'Templates viewed',
    'looked at texts (!{object})',
    'look at texts',
    configuration('R'),
    {
      severity: 1,
    },
  ),
} as const satisfies EventsOf<'number' | 'text' | 'template'>
