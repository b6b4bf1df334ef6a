import { listGrants } from '../../core/store/staff/roles.ts'
import { answer, fields } from '../framework/answer.ts'
import { command } from '../framework/command.ts'

export const whoami = command({
  words: ['whoami'],
  needs: 'anyone',
  args: {},
  help: 'Who you are to me: your id, device and roles.',
  run: async ({ tx, sender }) => {
    const grants = await listGrants(tx.sql, { userId: sender.userId })
    const suspended = grants.filter(g => g.suspendedAt !== null).map(g => g.role)
    return answer(
      fields(
        ['You', sender.userId],
        ['Device', `${sender.deviceId}, verified`],
        ['Roles', sender.roles.join(', ') || 'none'],
        ...(suspended.length > 0 ? [['Suspended', suspended.join(', ')] as const] : []),
      ),
    )
  },
})
