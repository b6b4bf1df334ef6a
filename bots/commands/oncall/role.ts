import { policyLines } from '../../../core/domain/oncall/words/policy-words.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { onCallRoles } from '../../../core/store/oncall/read.ts'
import {
  checkNewRole,
  checkRoleChange,
  type RoleChange,
  withChange,
  withFallback,
} from '../../../core/store/oncall/roles.ts'
import { answer, fields, table } from '../../framework/answer.ts'
import { named, optional, phrase, userId, word } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { proposeForConfirm } from '../changes.ts'
import { findRole, keepers, roleArg, roleLink, staff } from './args.ts'
import { consequences, horizon } from './preview.ts'

const zoneArg = () => word('<time zone>', 'America/New_York', text => text)
const serverOf = (user: string) => user.slice(user.indexOf(':') + 1)

export const oncallRoleAdd = command({
  words: ['oncall', 'role', 'add'],
  needs: keepers,
  args: {
    key: word('<key>', 'cardiology', text => text.toLowerCase()),
    name: phrase('name', 'Cardiology on call', 60),
    fallback: named('fallback', userId()),
    zone: optional(named('zone', zoneArg())),
    unit: optional(named('unit', phrase('unit', 'main', 40))),
  },
  help: 'Make a role that somebody is always on call for. Shows it, then waits for your !confirm.',
  detail:
    'The fallback is a person who is called whenever nobody else is on. The time zone is the clinic’s unless you give one. Then say who takes turns: !oncall set.',
  run: async (context, { key, name, fallback, zone, unit }) => {
    const server = serverOf(context.bot)
    const role = {
      key,
      name,
      fallback,
      server,
      zone: zone ?? context.settings['clinic.time_zone'],
      unit: unit ?? 'main',
    }
    const wrong = await checkNewRole(context.tx, role)
    if (wrong) return wrong
    const summary = `new on-call role ${key} (${name}), time zone ${role.zone}, fallback ${fallback}`
    return proposeForConfirm(context, { kind: 'oncall', proposal: { do: 'role.add', role }, summary, own: false })
  },
})

export const oncallRoleList = command({
  words: ['oncall', 'role', 'list'],
  needs: staff,
  args: {},
  help: 'Every on-call role with its name, unit and fallback.',
  views: 'oncall.view',
  run: async ({ tx }) => {
    const entries = await onCallRoles(tx)
    if (entries.length === 0) return answer('There is no on-call role yet. A supervisor makes one: !oncall role add')
    return answer(
      ...table(
        ['Role', 'Name', 'Unit', 'Time zone', 'Fallback'],
        entries.map(({ role, schedule }) => [role.key, role.name, role.unit, schedule.zone, schedule.fallback]),
      ),
    )
  },
})

export const oncallRoleShow = command({
  words: ['oncall', 'role', 'show'],
  needs: staff,
  args: { role: roleArg() },
  help: 'One role: its time zone, fallback, and whom a page calls when.',
  views: 'oncall.view',
  run: async ({ tx }, { role: key }) => {
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const { role, schedule, policy } = entry
    return answer(
      fields(
        ['Role', `${role.key} (${role.name})`],
        ['Write to', roleLink(role)],
        ['Unit', role.unit],
        ['Time zone', schedule.zone],
        ['Fallback', schedule.fallback],
        ['Made', `${new Date(role.createdAt).toISOString().slice(0, 10)} by ${role.createdBy}`],
      ),
      fields(...policyLines(policy)),
      'Who takes turns: !oncall show',
    )
  },
})

export const oncallRoleSet = command({
  words: ['oncall', 'role', 'set'],
  needs: keepers,
  args: {
    role: roleArg(),
    name: optional(named('name', phrase('name', 'Cardiology on call', 60))),
    zone: optional(named('zone', zoneArg())),
    fallback: optional(named('fallback', userId())),
    unit: optional(named('unit', phrase('unit', 'main', 40))),
  },
  help: 'Change a role’s name, time zone, fallback or unit; shows who would be on duty, then waits for your !confirm.',
  detail:
    'In another time zone every turn begins at the same time of day there, that is, at another instant. Pages that ended with the former fallback end with the new one.',
  run: async (context, { role: key, ...wanted }) => {
    const { tx } = context
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const given = Object.entries(wanted).filter(([, v]) => v !== undefined)
    if (given.length === 0) return refuse('missing', 'Say what: name, zone, fallback or unit.')
    const { fallback } = wanted
    const change: RoleChange = {
      ...(Object.fromEntries(given) as RoleChange),
      ...(fallback === undefined ? {} : { policy: withFallback(entry, fallback) }),
    }
    const wrong = await checkRoleChange(tx, entry, change)
    if (wrong) return wrong
    const after = withChange(entry.schedule, change)
    const summary = `${key}: ${given.map(([k, v]) => `${k} ${v}`).join(', ')}`
    const notes = await consequences(tx, entry.schedule, after, horizon(tx.now))
    const proposal = { do: 'role.change', key, change, version: entry.role.version } as const
    return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false }, notes)
  },
})

export const oncallRoleRemove = command({
  words: ['oncall', 'role', 'remove'],
  needs: keepers,
  args: { role: roleArg() },
  help: 'Take a role out of service: nobody can page it any more. Waits for your !confirm; its history stays.',
  run: async (context, { role: key }) => {
    const entry = await findRole(context.tx, key)
    if (isRefusal(entry)) return entry
    const summary = `remove the on-call role ${key} (${entry.role.name})`
    const proposal = { do: 'role.remove', key } as const
    return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false })
  },
})
