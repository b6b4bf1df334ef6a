import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { access, activity, alert, communication, dcm, logUsed, restricted, security } from './make.ts'

/** Exports of records, and patients' copies. */
export const exportEvents = {
  'export.request': security(
    'Export asked for',
    'asked for the export {object} of records[ of a {kind}]',
    'ask for an export of records',
    alert,
    { severity: 7 },
  ),
  'export.approve': security(
    'Export approved',
    'approved the export {object}[, which {requested_by} had asked for][, of {rooms} rooms]',
    'approve an export of records',
    restricted,
    { severity: 8 },
  ),
  'export.cancel': security('Export cancelled', 'cancelled the export {object}', 'cancel an export', alert),
  'export.expire': security(
    'Export lapsed',
    'closed the export {object}, which nobody used in time',
    'close an export',
    alert,
  ),
  'export.tell': communication(
    'Room told of an export',
    'told a room of the export {object}',
    'tell a room of the export {object}',
    activity('E'),
  ),
  'export.run': security(
    'Export begun',
    'began the export {object}[ with the shares {shares}]',
    'begin the export {object}',
    restricted,
    { severity: 8 },
  ),
  'export.key': security(
    "Patient's key opened by officers",
    "opened a patient's key for the export {object}",
    "open a patient's key for the export {object}",
    restricted,
    { severity: 9 },
  ),
  'export.done': security(
    'Export written',
    'wrote the package of the export {object}[, {events} events of {rooms} rooms]',
    'write the package of the export {object}',
    dcm(event.export, 'R'),
    { severity: 8 },
  ),
  'export.check': access(
    'Export checked',
    'checked a package of the export {object}',
    'check a package of the export {object}',
    logUsed('R'),
  ),
  'export.view': access('Exports viewed', 'looked at the exports of records', 'look at exports of records', alert),
} as const satisfies EventsOf<'export'>
