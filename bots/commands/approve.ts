import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { type Approval, decideApproval, findApproval, proposalOf } from '../../core/store/staff/approvals.ts'
import { holdersOf } from '../../core/store/staff/roles.ts'
import { type Answer, answer } from '../framework/answer.ts'
import { rest } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { say } from '../framework/say.ts'
import { applyChange, type Change } from './changes.ts'

const args = { code: rest('code', 'ABCD-EFGH', 40) }

const refusals = {
  unknown: refuse('unknown-code', 'There is no open request with this code. Codes work once, for 15 minutes.'),
  'too-many': refuse('too-many', 'Too many codes were tried; wait a minute.'),
  own: refuse('own-request', 'This is your own request; another administrator must approve it.'),
}

const find = async ({ tx, sender }: CommandContext, code: string): Promise<Approval | Refusal> => {
  const found = await findApproval(tx, sender.userId, code)
  return found.kind === 'found' ? found.approval : refusals[found.kind]
}

const tell = (context: CommandContext, a: Approval, words: Answer): Promise<void> =>
  say(context.tx, `decided:${a.id}`, { user: a.requestedBy }, words)

export const approve = command({
  words: ['approve'],
  needs: 'admin',
  args,
  help: "Approve another administrator's request, as the second person.",
  run: async (context, { code }) => {
    const { tx, sender } = context
    const approval = await find(context, code)
    if (isRefusal(approval)) return approval
    const requester = approval.requestedBy
    if (!(await holdersOf(tx.sql, 'admin')).includes(requester)) {
      await decideApproval(tx, approval, sender.userId, 'rejected')
      return refuse('not-admin', `${requester} is no administrator any more; the request is closed.`)
    }
    const change = approval.payload as Change
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
  needs: 'admin',
  args,
  help: "Decline another administrator's request.",
  run: async (context, { code }) => {
    const approval = await find(context, code)
    if (isRefusal(approval)) return approval
    await decideApproval(context.tx, approval, context.sender.userId, 'rejected')
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
  needs: 'admin',
  args: {},
  help: 'Apply the change that I showed you last.',
  run: async ({ tx, sender }) => {
    const proposal = await proposalOf(tx, sender.userId)
    if (!proposal) return refuse('nothing', 'There is nothing to confirm; previews wait for 15 minutes.')
    const result = await applyChange(tx, proposal.payload as Change, { by: sender.userId })
    await decideApproval(tx, proposal, sender.userId, isRefusal(result) ? 'rejected' : 'approved')
    return result
  },
})
