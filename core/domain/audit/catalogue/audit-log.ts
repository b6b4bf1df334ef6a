import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { access, activity, administration, alert, dcm, login, logUsed, restricted, security } from './make.ts'

/** The audit log itself, its checkpoints, and the administrators' page. */
export const auditLogEvents = {
  'audit.view': access('Audit log viewed', 'looked at the audit log ({object})', 'look at the audit log', logUsed(), {
    severity: 4,
  }),
  'audit.reveal': security(
    'Identity revealed',
    'revealed whom {object} stands for[: {kind}]',
    'reveal {object}',
    restricted,
    {
      severity: 8,
    },
  ),
  'audit.report': access('Audit report', 'made the report {object}[, {month}]', 'make the report {object}', logUsed(), {
    severity: 4,
  }),
  'audit.export': security(
    'Audit log exported',
    'exported the audit log ({object})[, {count} entries]',
    'export the audit log',
    dcm(event.export, 'R', event.logUsed),
    {
      severity: 7,
    },
  ),
  'audit.verify': security(
    'Audit log verified',
    'verified the audit log ({object})',
    'verify the audit log',
    logUsed('E'),
    {
      failed: 'found that the audit log does not verify ({object})',
      severity: 4,
    },
  ),
  'audit.digest': access('Audit digest', 'sent the audit digest ({object})', 'send the audit digest', logUsed(), {
    severity: 3,
  }),
  'audit.key_rotate': security(
    'Audit key changed',
    "changed the audit log's signing key to {object}",
    "change the audit log's key",
    dcm(event.alert, 'U', event.securityConfiguration),
    {
      severity: 8,
    },
  ),
  'audit.prune': security(
    'Audit log pruned',
    'deleted entries past their retention ({object})[, before {before}]',
    'prune the audit log',
    logUsed('D'),
    {
      severity: 7,
    },
  ),
  'audit.erase': security(
    'Patient erased',
    'erased what resolves the identifiers of {object}[, {count} values]',
    'erase {object}',
    dcm(event.patientRecord, 'D'),
    {
      severity: 8,
    },
  ),
  'checkpoint.pin': security(
    'Checkpoint pinned',
    'pinned the checkpoint {object}[ at {place}]',
    'pin the checkpoint {object}',
    dcm(event.alert, 'C', event.objectSecurity),
    {
      severity: 1,
    },
  ),
  'checkpoint.cosign': security(
    'Checkpoint cosigned',
    'had the checkpoint {object} cosigned[ by {witness}]',
    'have the checkpoint {object} cosigned',
    dcm(event.alert, 'U', event.objectSecurity),
    {
      severity: 1,
    },
  ),
  'checkpoint.conflict': security(
    'Checkpoint conflict',
    'found that the checkpoint {object} fits[ {place}]',
    'check the checkpoint {object}',
    dcm(event.alert, 'E', event.objectSecurity),
    {
      failed: 'found that the checkpoint {object} contradicts an earlier one[ at {place}]',
      severity: 10,
    },
  ),
  'admin.link': administration(
    'Admin page link',
    'asked for a sign-in link to the admin page',
    'get a sign-in link',
    activity('C'),
    { severity: 5 },
  ),
  'admin.session': administration(
    'Admin page session',
    'was at the admin page[: signed {what}][: stayed {on}][, {user}]',
    'sign in at the admin page',
    login,
    {
      severity: 6,
    },
  ),
  'admin.view': access(
    'Admin page viewed',
    'looked at {object} on the admin page',
    'look at {object} on the admin page',
    logUsed(),
    {
      severity: 3,
    },
  ),
  'admin.refused': security('Admin page refused', 'used the admin page', 'use the admin page', alert, {
    refused: 'was refused on the admin page[ at {route}][ with {status}]',
    severity: 7,
  }),
} as const satisfies EventsOf<'audit' | 'checkpoint' | 'admin'>
