import { refuse } from '../../core/domain/refusal.ts'
import { answer, table } from '../framework/answer.ts'
import { optional, userId } from '../framework/args.ts'
import { command } from '../framework/command.ts'

export const deviceList = command({
  words: ['device', 'list'],
  needs: ['admin', 'compliance', 'supervisor'],
  args: { user: optional(userId()) },
  help: 'Devices that their owner has not verified, and so get no room keys: of everybody with a role, or all devices of one person.',
  views: 'status.view',
  prepare: (lookups, { user }) => lookups.devicesOf(user),
  run: (_, { user }, devices) => {
    if (user && devices.length === 0) return refuse('no-devices', `${user} has no device with encryption.`)
    const shown = user ? devices : devices.filter(d => !d.signed)
    if (shown.length === 0) return answer('Every device of everybody with a role is verified by its owner.')
    const rows = shown.map(d => [d.userId, d.deviceId, d.name, d.signed ? 'verified' : 'not verified'])
    return answer(
      ...table(['Person', 'Device', 'Name', 'State'], rows),
      ...(shown.some(d => !d.signed)
        ? ['A device becomes verified when its owner confirms it from another device or with the recovery key.']
        : []),
    )
  },
})
