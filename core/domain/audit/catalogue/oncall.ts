import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { access, activity, administration, configuration, dcm } from './make.ts'

/** On-call schedules, and how people on call are reached. */
export const oncallEvents = {
  'oncall.role': administration(
    'On-call role changed',
    'changed the on-call role {object}[: {what}]',
    'change the on-call role {object}',
    configuration('U'),
    { severity: 5 },
  ),
  'oncall.change': administration(
    'On-call schedule changed',
    'changed who is on call for {object}[: {what}][ {about}]',
    'change who is on call for {object}',
    configuration('U'),
    { severity: 5 },
  ),
  'oncall.swap': administration(
    'Duty swapped',
    'answered for the swap {about} of {object}[: {what}]',
    'answer for a swap of {object}',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.person': administration(
    'On-call contact changed',
    'changed how {object} is reached on call[: {what}]',
    'change how {object} is reached on call',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.import': administration(
    'Schedule imported',
    'imported duties for {object}[: {what}][, {added} added][, {removed} removed][, {moved} moved]',
    'import duties for {object}',
    configuration('U'),
    { severity: 5, failed: 'could not read the duties of {object} from their source[: {what}]' },
  ),
  'oncall.feed': administration(
    'Calendar address changed',
    'changed a calendar address for {object}[: {what}]',
    'change a calendar address for {object}',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.view': access('On-call schedule viewed', 'looked at who is on call', 'look at who is on call', activity('R')),
  'oncall.print': access(
    'On-call page printed',
    'printed who is on call with their numbers[: {what}][, {numbers} numbers]',
    'print who is on call with their numbers',
    dcm(event.export, 'R'),
    { severity: 4 },
  ),
} as const satisfies EventsOf<'oncall'>
