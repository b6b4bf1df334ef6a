import { roles } from '../../core/domain/roles.ts'
import { settingKeys, settingOf } from '../../core/domain/settings/settings.ts'
import { commands } from '../commands/index.ts'
import type { Command } from './command.ts'

const cell = (s: string) => s.replaceAll('|', '\\|')
const codeCell = (s: string) => `\`${cell(s)}\``

const commandRow = (c: Command): string => {
  const who = c.needs === 'anyone' ? 'anyone' : c.needs.join(', ')
  const more = [c.help, c.detail, c.phi ? 'The message is removed once it is done.' : undefined]
  return `| ${codeCell(c.usage)} | ${who} | ${cell(more.filter(Boolean).join(' '))} |`
}

const settingRow = (key: (typeof settingKeys)[number]): string => {
  const s = settingOf(key)
  const standard = `${s.kind.show(s.default)}${s.unit ? ` ${s.unit}` : ''}`
  return `| \`${key}\` | ${cell(standard)} | ${cell(s.help)} May be ${cell(s.kind.expects)}. | ${s.sensitive ? 'second administrator' : '`!confirm`'} |`
}

const roleWords: Record<(typeof roles)[number], string> = {
  admin: 'settings, roles, approvals, units; no patient data by that role',
  compliance:
    'the audit log: timelines, reveals, reports, exports, sinks, alerts; reads settings, histories and consents; proposes and approves templates',
  supervisor: 'everything of clinician and desk, and how the services are',
  clinician: 'patients and consents; is invited to care rooms',
  desk: 'patients and consents; is in the desk rooms',
}

/** `docs/commands.md`: every command, role and setting, from the values that the bot itself uses. */
export const commandsMarkdown = (): string =>
  [
    '# Commands',
    '',
    'Written by `wardroom config write` from `bots/commands`; a test fails when it is out of date.',
    '',
    'Write to `@wardroom` in an encrypted direct chat or in a desk room. It obeys only devices that their owner has verified, and only the cryptographic identity to which a',
    'role was granted. It answers in a thread with ✅ or ⛔; every command and every refusal is in the audit log, without its arguments. Phrases of several words go in quotes.',
    '',
    '| command | for | what it does |',
    '|---|---|---|',
    ...commands.map(commandRow),
    '',
    '## Roles',
    '',
    '| role | may |',
    '|---|---|',
    ...roles.map(r => `| \`${r}\` | ${roleWords[r]} |`),
    '',
    'A changed identity suspends all roles of a person until another administrator grants them again. The last administrator cannot be revoked. While there is only one',
    'administrator, role changes are made at once; from the second one on, grants, and taking `admin` or `compliance` away, want the approval of both.',
    '',
    '## Settings',
    '',
    '| setting | default | meaning | changed with |',
    '|---|---|---|---|',
    ...settingKeys.map(settingRow),
    '',
  ].join('\n')
