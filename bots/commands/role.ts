import type { UserId } from '../../core/domain/ids.ts'
import { refuse } from '../../core/domain/refusal.ts'
import { holdersOf, listGrants } from '../../core/store/staff/roles.ts'
import type { Tx } from '../../core/store/tx.ts'
import { answer, table } from '../framework/answer.ts'
import { optional, role, userId } from '../framework/args.ts'
import { command } from '../framework/command.ts'
import { applyChange, type Change, proposeForApproval } from './changes.ts'

const args = { user: userId(), role: role() }

/** While there is one administrator only, nobody could approve: then role changes are made at once, and the audit log shows that nobody approved. */
const alone = async (tx: Tx): Promise<boolean> => (await holdersOf(tx.sql, 'admin')).length <= 1

const serverOf = (user: string) => user.slice(user.indexOf(':') + 1)

export const roleGrant = command({
  words: ['role', 'grant'],
  needs: 'admin',
  args,
  help: 'Give a person a role, bound to their present cryptographic identity; also ends a suspension.',
  detail: 'A second administrator approves it, once there is one. Nobody may end a suspension of their own.',
  prepare: (lookups, { user }) => lookups.identityOf(user),
  run: async (context, { user, role: wanted }, identity) => {
    if (identity === null)
      return refuse(
        'no-identity',
        `${user} has no cross-signing yet. They sign in with Element once and set up their recovery, then grant the role again.`,
      )
    if (user === context.sender.userId) return refuse('own-role', 'Another administrator must change your roles.')
    const server = serverOf(user)
    if (server !== serverOf(context.bot) && !context.settings['federation.allowed'].includes(server))
      return refuse('foreign-server', `${server} is not among the hospitals of federation.allowed.`)
    if (user === context.bot) return refuse('bot', 'I hold no roles.')
    const change: Change = { kind: 'role.grant', user: user as UserId, role: wanted, identity }
    if (!(await alone(context.tx))) return proposeForApproval(context, change)
    return applyChange(context.tx, change, { by: context.sender.userId })
  },
})

export const roleRevoke = command({
  words: ['role', 'revoke'],
  needs: 'admin',
  args,
  help: 'Take a role away from a person, at once.',
  detail: 'Taking admin or compliance away wants a second administrator. The last administrator stays.',
  run: async (context, { user, role: wanted }) => {
    const { tx, sender } = context
    const [grant] = await listGrants(tx.sql, { userId: user, role: wanted })
    if (!grant) return refuse('no-such-role', `${user} does not hold ${wanted}.`)
    const change: Change = { kind: 'role.revoke', user: user as UserId, role: wanted }
    const powerful = wanted === 'admin' || wanted === 'compliance'
    if (powerful && grant.suspendedAt === null && !(await alone(tx))) return proposeForApproval(context, change)
    return applyChange(tx, change, { by: sender.userId })
  },
})

export const roleList = command({
  words: ['role', 'list'],
  needs: ['admin', 'compliance', 'supervisor'],
  args: { role: optional(role()) },
  help: 'Who holds which role, since when, and who is suspended.',
  views: 'role.view',
  run: async ({ tx }, { role: wanted }) => {
    const grants = await listGrants(tx.sql, wanted ? { role: wanted } : {})
    if (grants.length === 0) return answer('Nobody holds such a role.')
    const state = (g: (typeof grants)[number]) =>
      g.suspendedAt !== null
        ? 'suspended'
        : g.identity === null
          ? 'not yet bound'
          : `bound to ${g.identity.slice(0, 8)}…`
    return answer(
      ...table(
        ['Role', 'Person', 'State', 'Granted', 'By'],
        grants.map(g => [g.role, g.userId, state(g), new Date(g.grantedAt).toISOString().slice(0, 10), g.grantedBy]),
      ),
    )
  },
})
