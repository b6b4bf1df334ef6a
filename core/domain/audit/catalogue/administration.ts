import type { EventsOf } from './entry.ts'
import { activity, administration, configuration, roles, security } from './make.ts'

/** Commands, settings, roles and approvals. */
export const administrationEvents = {
  'command.run': administration('Command', 'gave the command !{object}', 'give the command !{object}', activity('E'), {
    failed: 'gave the command !{object}, which broke down; nothing was changed',
  }),
  'config.change': administration(
    'Setting changed',
    'changed the setting {object}[ from {before}][ to {after}][, approved by {approved_by}]',
    'change the setting {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'config.view': administration(
    'Settings viewed',
    'looked at settings (!{object})',
    'look at settings',
    configuration('R'),
    {
      severity: 2,
    },
  ),
  'role.grant': administration(
    'Role granted',
    'granted {object}[ the role {role}][ their roles: {roles}][, approved by {approved_by}]',
    'grant {object} a role',
    roles('C'),
    { severity: 7 },
  ),
  'role.revoke': administration(
    'Role revoked',
    'took from {object}[ the role {role}][, approved by {approved_by}]',
    'take a role from {object}',
    roles('D'),
    { severity: 6 },
  ),
  'role.suspend': security(
    'Role suspended',
    'suspended[ the role {role}] of {object}',
    'suspend a role of {object}',
    roles('U'),
    { severity: 8 },
  ),
  'role.view': administration('Roles viewed', 'looked at roles (!{object})', 'look at roles', roles('R'), {
    severity: 2,
  }),
  'approval.request': administration(
    'Approval requested',
    'asked a second person to approve {object}[ ({kind})]',
    'ask for an approval',
    configuration('C'),
  ),
  'approval.give': administration(
    'Approval decided',
    'approved {object}[ ({kind})][, which {requested_by} had asked for]',
    'approve {object}',
    configuration('E'),
    { refused: 'rejected {object}[ ({kind})][, which {requested_by} had asked for]', severity: 6 },
  ),
  'status.view': administration(
    'Status viewed',
    'looked at the state (!{object})',
    'look at the state',
    activity('R'),
    {
      severity: 1,
    },
  ),
} as const satisfies EventsOf<'command' | 'config' | 'role' | 'approval' | 'status'>
