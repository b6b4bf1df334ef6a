import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { addAlarmSource, alarmSources, revokeAlarmSource } from '../../../core/store/oncall/alarms.ts'
import { answer, code, table } from '../../framework/answer.ts'
import { choice, optional, phrase } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { findRole, keepers, roleArg } from '../oncall/args.ts'

const nameArg = () => phrase('name', 'ward-3-monitors', 40)

export const oncallSourceAdd = command({
  words: ['oncall', 'source', 'add'],
  needs: keepers,
  args: { name: nameArg(), role: roleArg(), priority: optional(choice(priorities)) },
  help: 'Let a system raise alarms (POST /alarms) that page a role; you get its token once.',
  run: async ({ tx, sender, room, publicUrl }, { name, role, priority }) => {
    if (room.class !== 'direct')
      return refuse('own-chat', 'The token is secret; ask for it in your direct chat with me.')
    const entry = await findRole(tx, role)
    if (isRefusal(entry)) return entry
    const made = await addAlarmSource(tx, { name, role: entry.role.key, priority: priority ?? 'urgent' }, sender.userId)
    if (isRefusal(made)) return made
    return answer(
      `${name} may page ${entry.role.name}, ${priority ?? 'urgent'} where it says nothing else. Its token, shown this once:`,
      code(made.token),
      'It is a secondary alarm, not for primary monitoring. How to send one:',
      code(
        `curl ${publicUrl}/alarms -H "Authorization: Bearer <token>" -H "Idempotency-Key: <new for each>" -H "Content-Type: application/json" -d '{"what":"pump stopped","where":"room 12"}'`,
      ),
    )
  },
})

export const oncallSourceList = command({
  words: ['oncall', 'source', 'list'],
  needs: keepers,
  args: {},
  help: 'The systems that may raise alarms, for which role, and when each last did.',
  views: 'page.view',
  run: async ({ tx }) => {
    const sources = await alarmSources(tx.sql)
    if (sources.length === 0) return answer('No system may raise alarms. To add one: !oncall source add')
    const when = (at: number | null) =>
      at === null ? 'never' : new Date(at).toISOString().slice(0, 16).replace('T', ' ')
    return answer(
      ...table(
        ['Source', 'Role', 'Priority', 'Last alarm (UTC)'],
        sources.map(s => [s.name, s.role, s.priority, when(s.usedAt)]),
      ),
    )
  },
})

export const oncallSourceRevoke = command({
  words: ['oncall', 'source', 'revoke'],
  needs: keepers,
  args: { name: nameArg() },
  help: 'Take from a system the right to raise alarms, at once.',
  run: async ({ tx, sender }, { name }) => {
    const source = await revokeAlarmSource(tx, name, sender.userId)
    return isRefusal(source) ? source : answer(`${name} raises no more alarms.`)
  },
})
