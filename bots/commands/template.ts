import { isRefusal, refuse } from '../../core/domain/refusal.ts'
import { countSegments } from '../../core/domain/texts/sms-segments.ts'
import { isTemplateName, templateNames, templateRules } from '../../core/domain/texts/template.ts'
import { lintTemplate } from '../../core/domain/texts/template-lint.ts'
import {
  approveTemplate,
  currentTemplate,
  listTemplates,
  previewTemplate,
  proposeTemplate,
  sampleVars,
  type Template,
  templateVersions,
} from '../../core/store/texts/templates.ts'
import { answer, type Block, code, fields, list, table } from '../framework/answer.ts'
import { choice, integer, optional, rest } from '../framework/args.ts'
import { command } from '../framework/command.ts'

const everybody = ['admin', 'compliance', 'supervisor', 'clinician', 'desk'] as const
const name = () => ({ ...choice(templateNames), usage: '<template>', example: 'notice' })
const lang = () => choice(['en', 'es'])
const version = () => integer(0, 99_999, '<version>')
const by = (t: Template) => [t.proposedBy ?? 'shipped', t.approvedBy].filter(Boolean).join(', approved by ')

export const templateList = command({
  words: ['template', 'list'],
  needs: everybody,
  args: {},
  help: 'The text messages in force, in each language.',
  views: 'template.view',
  run: async ({ tx }) =>
    answer(
      ...table(
        ['Template', 'Language', 'Version', 'For'],
        (await listTemplates(tx.sql)).map(t => [t.name, t.lang, String(t.version), t.purpose]),
      ),
    ),
})

export const templateShow = command({
  words: ['template', 'show'],
  needs: everybody,
  args: { name: name(), lang: optional(lang()) },
  help: 'The versions of a template with their words and who approved them.',
  views: 'template.view',
  run: async ({ tx }, { name: n, lang: l }) => {
    const rule = templateRules[n]
    const blocks: Block[] = []
    for (const each of l ? [l] : (['en', 'es'] as const)) {
      const versions = (await templateVersions(tx.sql, n, each)).slice(0, 6)
      const rows = versions.map(t => [t.lang, String(t.version), t.state, by(t), t.body])
      blocks.push(...table(['Language', 'Version', 'State', 'By', 'Words'], rows))
    }
    const filled = (list: readonly string[]) => list.map(p => `{${p}}`).join(' ') || 'none'
    return answer(
      fields(['For', rule.purpose], ['Must have', filled(rule.must)], ['May have', filled(rule.may)]),
      ...blocks,
    )
  },
})

export const templatePropose = command({
  words: ['template', 'propose'],
  needs: ['admin', 'compliance', 'supervisor'],
  args: {
    name: name(),
    lang: lang(),
    body: rest(
      'words',
      '"{clinic}: a message waits for you. Open {link} within {hours} h. Call {phone}. Reply STOP to stop texts."',
      700,
    ),
  },
  help: 'Propose new words for a text message; checked at once, used when another person has approved them.',
  run: async ({ tx, sender, publicUrl }, { name: n, lang: l, body }) => {
    const proposed = await proposeTemplate(tx, { name: n, lang: l, body, by: sender.userId, publicUrl })
    if (isRefusal(proposed)) return proposed
    return answer(
      `Proposed as version ${proposed.version}. A text would read:`,
      code(proposed.preview),
      'Somebody else approves it with:',
      code(`!template approve ${n} ${l} ${proposed.version}`),
    )
  },
})

export const templateApprove = command({
  words: ['template', 'approve'],
  needs: ['admin', 'compliance', 'supervisor'],
  args: { name: name(), lang: lang(), version: version() },
  help: 'Put a proposed version in force; never by the person who proposed it.',
  run: async ({ tx, sender, publicUrl }, { name: n, lang: l, version: v }) => {
    const done = await approveTemplate(tx, { name: n, lang: l, version: v, by: sender.userId, publicUrl })
    if (isRefusal(done)) return done
    return answer(`In force: ${n} ${l}, version ${done.version}. Texts queued from now on use it.`)
  },
})

export const templateTest = command({
  words: ['template', 'test'],
  needs: everybody,
  args: { name: name(), lang: lang(), version: optional(version()) },
  help: "How a text would read with the clinic's own values, how many segments it takes, and what the check says.",
  views: 'template.view',
  run: async ({ tx, settings, publicUrl }, { name: n, lang: l, version: v }) => {
    if (!isTemplateName(n)) return refuse('unknown-template', 'There is no such template.')
    const wanted =
      v === undefined
        ? await currentTemplate(tx.sql, n, l)
        : (await templateVersions(tx.sql, n, l)).find(t => t.version === v)
    if (!wanted) return refuse('unknown-version', `There is no version ${v} of ${n} ${l}.`)
    const vars = sampleVars(settings, l, publicUrl)
    const preview = previewTemplate(wanted, vars)
    const size = countSegments(preview)
    const wrong = lintTemplate(n, wanted.body, vars)
    return answer(
      code(preview),
      fields(
        ['Version', `${wanted.version}, ${wanted.state}`],
        ['Size', `${size.units} characters, ${size.segments} ${size.segments === 1 ? 'segment' : 'segments'}`],
        ['Check', wrong.length === 0 ? 'nothing to object' : 'not allowed:'],
      ),
      ...(wrong.length > 0 ? [list(wrong)] : []),
    )
  },
})
