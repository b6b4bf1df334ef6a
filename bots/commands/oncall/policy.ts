import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { parseSteps, planWords } from '../../../core/domain/oncall/words/policy-words.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { checkRoleChange } from '../../../core/store/oncall/roles.ts'
import { fields } from '../../framework/answer.ts'
import { choice, integer, named, optional, userId } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { proposeForConfirm } from '../changes.ts'
import { findRole, keepers, roleArg, words } from './args.ts'

export const oncallPolicy = command({
  words: ['oncall', 'policy'],
  needs: keepers,
  args: {
    role: roleArg(),
    priority: choice(priorities),
    steps: named('steps', words('steps', 'role cardiology 5m x2, @bob:clinic.example 10m')),
    last: named('then', userId()),
    acks: optional(named('acks', integer(1, 5, '<people>'))),
  },
  help: 'Whom a page of a priority calls, in which order and for how long, and who is called when nobody accepts; waits for your !confirm.',
  detail:
    'Steps follow one another, separated by commas: whom they call (role <role>: whoever is on duty; rotation <role>/<layer>: everybody in it; or people), how long they wait ' +
    '(30s, 5m), and x2 to do it twice. "first" asks one person after the other instead of all at once. "then" is called last; "acks" people must accept.',
  run: async (context, { role: key, priority, steps: text, last, acks }) => {
    const { tx, bot } = context
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const steps = parseSteps(text, bot.slice(bot.indexOf(':') + 1))
    if (isRefusal(steps)) return steps
    const plan = { steps, acks: acks ?? 1, fallback: { kind: 'user', user: last } } as const
    const before = entry.policy.plans[priority]
    if (planWords(before) === planWords(plan)) return refuse('no-change', 'It is that already.')
    const policy = { ...entry.policy, plans: { ...entry.policy.plans, [priority]: plan } }
    const wrong = await checkRoleChange(tx, entry, { policy })
    if (wrong) return wrong
    const summary = `${key}, page ${priority}: ${planWords(plan)}`
    const proposal = { do: 'role.change', key, change: { policy }, version: entry.role.version } as const
    return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false }, [
      fields(['Before', planWords(before)], ['After', planWords(plan)]),
    ])
  },
})
