import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { isSettingKey, type SettingKey, settingKeys, settingOf } from '../../core/domain/settings/settings.ts'
import { openApprovals } from '../../core/store/staff/approvals.ts'
import { settingChange, settingHistory, storedSetting, unusableSettings } from '../../core/store/staff/settings.ts'
import { type Answer, answer, type Block, code, fields, list, table } from '../framework/answer.ts'
import { type Arg, integer, optional, phrase, rest } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { closest } from '../framework/near.ts'
import { type Change, proposeForApproval, proposeForConfirm } from './changes.ts'

/** A setting's key. */
const key = (): Arg<SettingKey> => {
  const word = phrase('setting', 'link.life_hours')
  return {
    ...word,
    take: (tokens, env) => {
      const taken = word.take(tokens, env)
      if (isRefusal(taken)) return taken
      const typed = taken.value.toLowerCase()
      if (isSettingKey(typed)) return { value: typed, used: taken.used }
      const near = closest(typed, settingKeys)
      return refuse(
        'unknown-setting',
        `There is no such setting.${near ? ` Did you mean ${near}?` : ' See !config list.'}`,
      )
    },
  }
}

const unitOf = (k: SettingKey) => {
  const { unit } = settingOf(k)
  return unit ? ` ${unit}` : ''
}
const currentText = async ({ tx }: Pick<CommandContext, 'tx'>, k: SettingKey): Promise<[string, boolean]> => {
  const { kind, default: standard } = settingOf(k)
  const stored = await storedSetting(tx.sql, k)
  const usable = stored !== null && kind.revive(stored) !== undefined
  return [usable ? stored : kind.show(standard), usable]
}

export const configList = command({
  words: ['config', 'list'],
  needs: ['admin', 'compliance'],
  args: { group: optional(phrase('group', 'sms')) },
  help: 'Every setting with its value, or those of one group.',
  views: 'config.view',
  run: async (context, { group }) => {
    const keys = settingKeys.filter(k => group === undefined || k === group || k.startsWith(`${group.toLowerCase()}.`))
    if (keys.length === 0) return refuse('unknown-setting', 'There is no such group; see !config list.')
    const rows: string[][] = []
    for (const k of keys) {
      const [value, changed] = await currentText(context, k)
      rows.push([
        k,
        `${value}${unitOf(k)}`,
        `${changed ? 'changed' : 'default'}${settingOf(k).sensitive ? ', sensitive' : ''}`,
      ])
    }
    const broken = await unusableSettings(context.tx.sql)
    const waiting = await openApprovals(context.tx.sql, context.tx.now)
    const notes: Block[] = [
      ...(broken.length > 0
        ? [list(broken.map(k => `${k} holds a value that this version cannot use; its default counts.`))]
        : []),
      ...(waiting.length > 0 ? [list(waiting.map(w => `Waits for approval (${w.requestedBy}): ${w.summary}`))] : []),
    ]
    return answer(
      ...table(['Setting', 'Value', 'State'], rows),
      ...notes,
      'Details: !config show and the name of a setting.',
    )
  },
})

export const configShow = command({
  words: ['config', 'show'],
  needs: ['admin', 'compliance'],
  args: { key: key() },
  help: 'One setting: its value, default, meaning and what it may be.',
  views: 'config.view',
  run: async (context, { key: k }) => {
    const s = settingOf(k)
    const [value, changed] = await currentText(context, k)
    return answer(
      s.help,
      fields(
        ['Value', `${value}${unitOf(k)}${changed ? '' : ' (default)'}`],
        ['Default', `${s.kind.show(s.default)}${unitOf(k)}`],
        ['May be', s.kind.expects],
        ['Affects', s.affects],
        ['Change', s.sensitive ? 'with the approval of a second administrator' : 'with your own !confirm'],
      ),
      code(`!config set ${k} ${s.kind.example}`),
    )
  },
})

const propose = async (context: CommandContext, k: SettingKey, after: string | null): Promise<Answer | Refusal> => {
  const before = await storedSetting(context.tx.sql, k)
  if (before === after) return refuse('no-change', `${k} is that already.`)
  const change: Change = { kind: 'setting', key: k, before, after }
  return settingOf(k).sensitive ? proposeForApproval(context, change) : proposeForConfirm(context, change)
}

export const configSet = command({
  words: ['config', 'set'],
  needs: 'admin',
  args: { key: key(), value: rest('value', '24') },
  help: 'Change a setting: shows before and after first, then waits for your !confirm or a second administrator.',
  detail: 'The value "default" takes the setting back to its default.',
  run: async (context, { key: k, value }) => {
    const { kind } = settingOf(k)
    if (value.toLowerCase() === 'default') return propose(context, k, null)
    const parsed = kind.parse(value)
    if (isRefusal(parsed))
      return refuse(parsed.code, `${k}: ${parsed.sentence}\nExample: !config set ${k} ${kind.example}`)
    return propose(context, k, kind.show(parsed))
  },
})

export const configHistory = command({
  words: ['config', 'history'],
  needs: ['admin', 'compliance'],
  args: { key: optional(key()) },
  help: 'Who changed which setting, when, from what to what, and who approved it.',
  views: 'config.view',
  run: async ({ tx }, { key: k }) => {
    const changes = await settingHistory(tx.sql, { key: k, limit: 40 })
    if (changes.length === 0) return answer('No setting was ever changed.')
    return answer(
      ...table(
        ['No.', 'When (UTC)', 'Setting', 'Before', 'After', 'By', 'Approved by'],
        changes.map(c => [
          String(c.n),
          new Date(c.at).toISOString().slice(0, 16).replace('T', ' '),
          c.key,
          c.before ?? '(default)',
          c.after ?? '(default)',
          c.by,
          c.approvedBy ?? '',
        ]),
      ),
      'To undo one: !config rollback and its number.',
    )
  },
})

export const configRollback = command({
  words: ['config', 'rollback'],
  needs: 'admin',
  args: { change: integer(1, 999_999_999, '<no.>') },
  help: 'Take a setting back to what it was before a change; shown and confirmed like any other change.',
  run: async (context, { change: n }) => {
    const old = await settingChange(context.tx.sql, n)
    if (!old || !isSettingKey(old.key)) return refuse('unknown-change', 'There is no such change; see !config history.')
    if (old.before !== null && settingOf(old.key).kind.revive(old.before) === undefined)
      return refuse('unusable', `${old.key} cannot go back: this version does not accept the earlier value.`)
    return propose(context, old.key, old.before)
  },
})
