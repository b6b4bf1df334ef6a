import {
  type Collapsed,
  collapse,
  type Param,
  type Rule,
  type Values,
  valuesOf,
} from '../../../core/domain/audit/alerts/rule.ts'
import { ruleNamed, rules } from '../../../core/domain/audit/alerts/rules.ts'
import { days } from '../../../core/domain/clock.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import type { Kind } from '../../../core/domain/settings/setting.ts'
import { changeRule, ruleHistory, ruleValues } from '../../../core/store/alerts/alert-rules.ts'
import { listAlerts, tellCompliance } from '../../../core/store/alerts/alerts.ts'
import { ruleContext, seenForPreview } from '../../../core/store/alerts/rule-run.ts'
import { answer, type Block, code, fields, heading, table } from '../../framework/answer.ts'
import { type Arg, optional, phrase, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { closest } from '../../framework/near.ts'

const names = rules.map(r => r.name)

const ruleArg = (): Arg<Rule> =>
  word('<rule>', 'many-patients', text => {
    const name = text.toLowerCase()
    const near = closest(name, names)
    return (
      ruleNamed(name) ??
      refuse('unknown-rule', `There is no such rule.${near ? ` Did you mean ${near}?` : ' See !audit alerts list.'}`)
    )
  })

const shown = (p: Param, value: number | boolean | undefined): string =>
  `${(p.kind as Kind<number | boolean>).show(value ?? p.default)}${p.unit ? ` ${p.unit}` : ''}`
const paramWords = (rule: Rule, values: Values): string =>
  Object.entries(rule.params)
    .filter(([name]) => name !== 'enabled')
    .map(([name, p]) => `${name} ${shown(p, values[name])}`)
    .join(', ')
const when = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const entry = (idx: number | null) => (idx === null ? '' : `#${idx}`)

const overview = async ({ tx }: CommandContext): Promise<(Block | string)[]> => {
  const values = await ruleValues(tx.sql)
  const recent = await listAlerts(tx.sql, { since: tx.now - days(7), limit: 30 })
  return [
    ...table(
      ['Rule', 'Severity', 'On', 'Parameters'],
      rules.map(r => {
        const own = values.get(r.name) ?? {}
        return [r.name, r.severity, own.enabled === true ? 'yes' : 'no', paramWords(r, own)]
      }),
    ),
    heading('The last seven days'),
    ...(recent.length === 0
      ? ['No alert.']
      : table(
          ['When', 'Rule', 'Times', 'Last entry', 'What'],
          recent.map(a => [
            when(a.lastAt),
            a.rule,
            String(a.count),
            entry(a.last),
            ruleNamed(a.rule)?.sentence(a.about, a.count) ?? '',
          ]),
        )),
    'More of one: !audit alerts list and its name. What it would have found: !audit alerts try and its name.',
  ]
}

const details = async ({ tx }: CommandContext, rule: Rule): Promise<(Block | string)[]> => {
  const values = (await ruleValues(tx.sql)).get(rule.name) ?? {}
  const changes = await ruleHistory(tx.sql, rule.name)
  return [
    rule.help,
    fields(['Severity', rule.severity]),
    ...table(
      ['Parameter', 'Value', 'Default', 'May be', 'Meaning'],
      Object.entries(rule.params).map(([name, p]) => [
        name,
        shown(p, values[name]),
        shown(p, p.default),
        p.kind.expects,
        p.help,
      ]),
    ),
    ...(changes.length === 0
      ? ['It was never changed.']
      : table(
          ['When', 'Parameter', 'Before', 'After', 'By'],
          changes.map(c => [when(c.at), c.param, c.before ?? '(default)', c.after ?? '(default)', c.by]),
        )),
    'To change it:',
    code(`!audit alerts set ${rule.name} enabled no`),
  ]
}

export const alertsList = command({
  words: ['audit', 'alerts', 'list'],
  needs: ['compliance', 'admin'],
  args: { rule: optional(ruleArg()) },
  help: 'The rules that watch the log, how they are set, and what they found in the last seven days; or one rule with its history.',
  run: async (context, { rule }) => {
    await context.tx.audit({
      actor: { kind: 'user', id: context.sender.userId, device: context.sender.deviceId },
      action: 'audit.view',
      object: { kind: 'audit', id: rule ? `alerts ${rule.name}` : 'alerts' },
      outcome: 'done',
    })
    return answer(...(rule ? await details(context, rule) : await overview(context)))
  },
})

export const alertsSet = command({
  words: ['audit', 'alerts', 'set'],
  needs: ['compliance', 'admin'],
  args: { rule: ruleArg(), param: phrase('parameter', 'threshold', 40), value: phrase('value', '20', 40) },
  help: 'Set a parameter of a rule, at once; "default" takes it back. The compliance room is told.',
  detail: 'See !audit alerts list and the name of the rule for its parameters; enabled no turns it off.',
  run: async ({ tx, sender }, { rule, param: typed, value }) => {
    const param = typed.toLowerCase()
    if (!rule.params[param])
      return refuse('unknown-param', `${rule.name} has ${Object.keys(rule.params).join(', ')}, and no ${param}.`)
    const change = await changeRule(tx, { rule: rule.name, param, typed: value, by: sender.userId })
    if (isRefusal(change)) return change
    const words = `${rule.name} ${param}: ${change.before ?? '(default)'} → ${change.after ?? '(default)'}`
    await tellCompliance(tx, {
      key: `rule:${rule.name}:${param}:${tx.now}`,
      text: `${sender.userId} changed an alert rule. ${words}. To undo it: !audit alerts set ${rule.name} ${param} ${change.before ?? 'default'}`,
    })
    return answer(`Done: ${words}. It counts from now on.`)
  },
})

/** Whom an alert is about, as the log names them: staff in clear, a patient or an address by the beginning of the commitment. */
const subjectOf = (a: Collapsed): string => {
  if (a.about.user) return a.about.user
  const [what, ref] = a.about.patient ? ['a patient', a.about.patient] : ['an address', a.about.origin]
  return ref ? `${what} (${ref.slice(0, 8)}…)` : Object.values(a.about).join(' ')
}

const countBy = (alerts: readonly Collapsed[]): [string, Collapsed[]][] => {
  const out = new Map<string, Collapsed[]>()
  for (const a of alerts) out.set(subjectOf(a), [...(out.get(subjectOf(a)) ?? []), a])
  return [...out].sort(([, a], [, b]) => b.length - a.length)
}

/** The rule's values now, with one of them as it was typed. */
const tryValues = async (
  { tx }: CommandContext,
  rule: Rule,
  param: string | undefined,
  typed: string | undefined,
): Promise<Values | Refusal> => {
  const now = (await ruleValues(tx.sql)).get(rule.name) ?? {}
  if (param === undefined) return { ...now, enabled: true }
  const known = rule.params[param.toLowerCase()]
  const value = known ? (known.kind as Kind<number | boolean>).parse(typed ?? '') : undefined
  if (value === undefined) return refuse('unknown-param', `${rule.name} has ${Object.keys(rule.params).join(', ')}.`)
  if (isRefusal(value)) return refuse(value.code, `${rule.name} ${param}: ${value.sentence}`)
  return { ...valuesOf(rule, {}), ...now, [param.toLowerCase()]: value, enabled: true }
}

export const alertsTry = command({
  words: ['audit', 'alerts', 'try'],
  needs: ['compliance', 'admin'],
  args: {
    rule: ruleArg(),
    param: optional(phrase('parameter', 'threshold', 40)),
    value: optional(phrase('value', '20', 40)),
  },
  help: 'How often, and about whom, a rule would have raised an alert in the past 30 days; also with another parameter. Changes nothing.',
  detail: 'Who is in a care room, who holds which role and who is called what counts as it is now.',
  run: async (context, { rule, param, value }) => {
    const { tx, sender } = context
    const { find } = rule
    if (!find)
      return refuse(
        'no-preview',
        `${rule.name} watches a state, which the log of the past does not have; it cannot be tried.`,
      )
    const values = await tryValues(context, rule, param, value)
    if (isRefusal(values)) return values
    const since = tx.now - days(30)
    const { seen, cut } = await seenForPreview({ db: tx.sql, seal: tx.deps.seal }, rule.actions, since)
    const alerts = collapse(find(seen, 0, values, await ruleContext(tx.sql)), rule.collapseMs)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'alert.try',
      object: { kind: 'alert', id: rule.name },
      outcome: 'done',
      detail: { entries: seen.length, alerts: alerts.length },
    })
    const who = countBy(alerts)
    const from = cut ? `since ${when(seen[0]?.at ?? since)}, as far back as I can look at once` : 'in the past 30 days'
    return answer(
      `${rule.name} (${paramWords(rule, values) || 'no parameters'}) would have raised ${alerts.length} ${alerts.length === 1 ? 'alert' : 'alerts'} ${from}, from ${seen.length} entries.`,
      ...(who.length === 0
        ? []
        : table(
            ['About', 'Alerts', 'Latest', 'Entry'],
            who.map(([subject, of]) => [
              subject,
              String(of.length),
              when(of.at(-1)?.at ?? 0),
              entry(of.at(-1)?.last ?? null),
            ]),
          )),
    )
  },
})
