import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { Role } from '../../core/domain/roles.ts'
import { cancelExport } from '../../core/store/records/exports.ts'
import { type Approval, decideApproval, findApproval, proposalOf } from '../../core/store/staff/approvals.ts'
import { holdersOf } from '../../core/store/staff/roles.ts'
import { type Answer, answer } from '../framework/answer.ts'
import { rest } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { say } from '../framework/say.ts'
import { applyChange, approversOf, type Change } from './changes.ts'

const args = { code: rest('code', 'ABCD-EFGH', 40) }

const refusals = {
  unknown: refuse('unknown-code', 'There is no open request with this code. Codes work once, for 15 minutes.'),
  'too-many': refuse('too-many', 'Too many codes were tried; wait a minute.'),
  own: refuse('own-request', 'This is your own request; somebody else must approve it.'),
}

const titles = (roles: readonly Role[]): string =>
  roles.map(r => (r === 'admin' ? 'administrator' : r === 'compliance' ? 'compliance officer' : r)).join(' or ')

const notYours = (roles: readonly Role[]) =>
  refuse('forbidden', `This request waits for: ${titles(roles)}; you need the role ${roles.join(' or ')}.`)

const find = async ({ tx, sender }: CommandContext, code: string): Promise<Approval | Refusal> => {
  const found = await findApproval(tx, sender.userId, code)
  return found.kind === 'found' ? found.approval : refusals[found.kind]
}

const tell = (context: CommandContext, a: Approval, words: Answer): Promise<void> =>
  say(context.tx, `decided:${a.id}`, { user: a.requestedBy }, words)

export const approve = command({
  words: ['approve'],
  needs: ['admin', 'compliance'],
  args,
  help: "Approve somebody else's request, as the second person.",
  run: async (context, { code }) => {
    const { tx, sender } = context
    const approval = await find(context, code)
    if (isRefusal(approval)) return approval
    const requester = approval.requestedBy
    const change = approval.payload as Change
    const roles = approversOf(change)
    if (!roles.some(role => sender.roles.includes(role))) return notYours(roles)
    const still = await Promise.all(roles.map(role => holdersOf(tx.sql, role)))
    if (!still.flat().includes(requester)) {
      await decideApproval(tx, approval, sender.userId, 'rejected')
      return refuse('not-admin', `${requester} is no ${titles(roles)} any more; the request is closed.`)
    }
    if ('user' in change && change.user === sender.userId)
      return refuse('own-role', 'This request is about your own role; a third administrator must approve it.')
    const result = await applyChange(tx, change, { by: requester, approvedBy: sender.userId })
    await decideApproval(tx, approval, sender.userId, isRefusal(result) ? 'rejected' : 'approved')
    const outcome = isRefusal(result) ? `It could not be applied: ${result.sentence}` : 'It is applied.'
    await tell(context, approval, answer(`${sender.userId} approved: ${approval.summary}. ${outcome}`))
    return result
  },
})

export const reject = command({
  words: ['reject'],
  needs: ['admin', 'compliance'],
  args,
  help: "Decline somebody else's request.",
  run: async (context, { code }) => {
    const approval = await find(context, code)
    if (isRefusal(approval)) return approval
    const roles = approversOf(approval.payload as Change)
    if (!roles.some(role => context.sender.roles.includes(role))) return notYours(roles)
    await decideApproval(context.tx, approval, context.sender.userId, 'rejected')
    const change = approval.payload as Change
    if (change.kind === 'export') await cancelExport(context.tx, change.id, context.sender.userId)
    await tell(
      context,
      approval,
      answer(`${context.sender.userId} declined: ${approval.summary}. Nothing was changed.`),
    )
    return answer(`Declined: ${approval.summary}. Nothing was changed.`)
  },
})

export const confirm = command({
  words: ['confirm'],
  needs: ['admin', 'compliance', 'supervisor', 'clinician', 'desk'],
  args: {},
  help: 'Apply the change that I showed you last.',
  run: async ({ tx, sender }) => {
    const proposal = await proposalOf(tx, sender.userId)
    if (!proposal) return refuse('nothing', 'There is nothing to confirm; previews wait for 15 minutes.')
    const change = proposal.payload as Change
    const roles = approversOf(change)
    if (!roles.some(role => sender.roles.includes(role))) return notYours(roles)
    const result = await applyChange(tx, change, { by: sender.userId })
    await decideApproval(tx, proposal, sender.userId, isRefusal(result) ? 'rejected' : 'approved')
    return result
  },
})
