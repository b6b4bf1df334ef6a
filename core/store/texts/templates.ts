import type { Knex } from 'knex'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Settings } from '../../domain/settings/settings.ts'
import { fitSegments } from '../../domain/texts/sms-segments.ts'
import {
  isTemplateName,
  renderTemplate,
  type TemplateLang,
  type TemplateName,
  type TemplateVars,
  templateNames,
  templateRules,
} from '../../domain/texts/template.ts'
import { defaultTemplates } from '../../domain/texts/template-defaults.ts'
import { lintTemplate, longestVars } from '../../domain/texts/template-lint.ts'
import { readSettings } from '../staff/settings.ts'
import type { Tx } from '../tx.ts'

/** One version of a template; version 0 is the one that ships. */
export type Template = {
  name: TemplateName
  lang: TemplateLang
  version: number
  body: string
  state: 'proposed' | 'approved' | 'retired'
  proposedBy: string | null
  approvedBy: string | null
  at: number | null
}

type Row = Record<string, unknown>
const toTemplate = (r: Row): Template => ({
  name: r.name as TemplateName,
  lang: r.lang as TemplateLang,
  version: r.version as number,
  body: r.body as string,
  state: r.state as Template['state'],
  proposedBy: r.proposed_by as string,
  approvedBy: (r.approved_by as string | null) ?? null,
  at: ((r.approved_at ?? r.proposed_at) as number | null) ?? null,
})

const shipped = (name: TemplateName, lang: TemplateLang, state: Template['state']): Template => ({
  name,
  lang,
  version: 0,
  body: defaultTemplates[name][lang],
  state,
  proposedBy: null,
  approvedBy: null,
  at: null,
})

/** The version in force. */
export const currentTemplate = async (sql: Knex, name: TemplateName, lang: TemplateLang): Promise<Template> => {
  const row = await sql('template').where({ name, lang, state: 'approved' }).first()
  return row ? toTemplate(row) : shipped(name, lang, 'approved')
}

/** The words of one version, also a retired one: a text goes out in the version that it was queued with. */
export const templateBody = async (
  sql: Knex,
  name: TemplateName,
  lang: TemplateLang,
  version: number,
): Promise<string> => {
  if (version === 0) return defaultTemplates[name][lang]
  const row = await sql('template').where({ name, lang, version }).first('body')
  if (!row) throw new Error(`no template ${name} ${lang} ${version}`)
  return row.body
}

/** Every template in force, in both languages, with what it is for (`!template list`). */
export const listTemplates = async (sql: Knex): Promise<(Template & { purpose: string })[]> => {
  const rows = (await sql('template').where({ state: 'approved' })).map(toTemplate)
  return templateNames.flatMap(name =>
    (['en', 'es'] as const).map(lang => ({
      ...(rows.find(t => t.name === name && t.lang === lang) ?? shipped(name, lang, 'approved')),
      purpose: templateRules[name].purpose,
    })),
  )
}

/** All versions of one template, newest first (`!template show`). */
export const templateVersions = async (sql: Knex, name: TemplateName, lang: TemplateLang): Promise<Template[]> => {
  const rows = (await sql('template').where({ name, lang }).orderBy('version', 'desc')).map(toTemplate)
  return [...rows, shipped(name, lang, rows.some(r => r.state === 'approved') ? 'retired' : 'approved')]
}

const callWords: Record<TemplateLang, string> = { en: 'the clinic', es: 'consultorio' }

/** What every text may say of the clinic. Without a number, the words say to call the clinic. */
export const clinicVars = (settings: Settings, lang: TemplateLang): TemplateVars => ({
  clinic: settings['clinic.name'],
  phone: settings['clinic.phone'] || callWords[lang],
})

/** The clinic's own values with the longest link that `publicUrl` gives: what the linter counts with and a preview shows. */
export const sampleVars = (settings: Settings, lang: TemplateLang, publicUrl: string): TemplateVars => ({
  ...longestVars,
  ...clinicVars(settings, lang),
  link: `${publicUrl.replace(/\/+$/, '')}/l/${'x'.repeat(22)}`,
})

/** A template as a text would read. */
export const previewTemplate = (t: Pick<Template, 'body'>, vars: TemplateVars): string =>
  fitSegments(renderTemplate(t.body, vars))

const nextVersion = async (tx: Tx, name: TemplateName, lang: TemplateLang): Promise<number> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`template:${name}:${lang}`])
  const newest = await tx.sql('template').where({ name, lang }).orderBy('version', 'desc').first('version')
  return Number(newest?.version ?? 0) + 1
}

/** Proposes new words (`!template propose`); refused with every sentence of the linter. Nothing is sent in them until another person approves. */
export const proposeTemplate = async (
  tx: Tx,
  p: { name: string; lang: TemplateLang; body: string; by: string; publicUrl: string },
): Promise<{ version: number; preview: string } | Refusal> => {
  if (!isTemplateName(p.name))
    return refuse('unknown-template', `There is no template "${p.name}"; these are: ${templateNames.join(', ')}.`)
  const body = p.body.normalize('NFC').trim()
  if (body.length > 600) return refuse('too-long', 'A template has at most 600 characters.')
  const sample = sampleVars(await readSettings(tx.sql), p.lang, p.publicUrl)
  const wrong = lintTemplate(p.name, body, sample)
  const audit = (outcome: 'done' | 'refused', detail: Record<string, string | number>) =>
    tx.audit({
      actor: { kind: 'user', id: p.by },
      action: 'template.propose',
      object: { kind: 'template', id: `${p.name}:${p.lang}` },
      outcome,
      detail,
    })
  if (wrong.length > 0) {
    await audit('refused', { findings: wrong.length })
    return refuse('lint', wrong.join(' '))
  }
  const version = await nextVersion(tx, p.name, p.lang)
  await tx.sql('template').insert({
    name: p.name,
    lang: p.lang,
    version,
    body,
    state: 'proposed',
    proposed_by: p.by,
    proposed_at: tx.now,
  })
  await audit('done', { version })
  return { version, preview: previewTemplate({ body }, sample) }
}

/** Puts a proposed version in force (`!template approve`); never by the one who proposed it. The words are checked again: the clinic's name may have grown. */
export const approveTemplate = async (
  tx: Tx,
  p: { name: TemplateName; lang: TemplateLang; version: number; by: string; publicUrl: string },
): Promise<Template | Refusal> => {
  const key = { name: p.name, lang: p.lang }
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`template:${p.name}:${p.lang}`])
  const row = await tx
    .sql('template')
    .where({ ...key, version: p.version })
    .first()
  const refused = async (code: string, sentence: string): Promise<Refusal> => {
    await tx.audit({
      actor: { kind: 'user', id: p.by },
      action: 'template.approve',
      object: { kind: 'template', id: `${p.name}:${p.lang}` },
      outcome: 'refused',
      reason: code,
      detail: { version: p.version },
    })
    return refuse(code, sentence)
  }
  if (!row) return refused('unknown-version', `There is no version ${p.version} of ${p.name} ${p.lang}.`)
  if (row.state !== 'proposed') return refused('not-proposed', `Version ${p.version} is ${row.state} already.`)
  if (row.proposed_by === p.by) return refused('same-person', 'You proposed it; somebody else must approve it.')
  const wrong = lintTemplate(p.name, row.body, sampleVars(await readSettings(tx.sql), p.lang, p.publicUrl))
  if (wrong.length > 0) return refused('lint', wrong.join(' '))
  await tx
    .sql('template')
    .where({ ...key, state: 'approved' })
    .update({ state: 'retired', retired_at: tx.now })
  const [done] = await tx
    .sql('template')
    .where({ ...key, version: p.version })
    .update({ state: 'approved', approved_by: p.by, approved_at: tx.now })
    .returning('*')
  await tx.audit({
    actor: { kind: 'user', id: p.by },
    action: 'template.approve',
    object: { kind: 'template', id: `${p.name}:${p.lang}` },
    outcome: 'done',
    detail: { version: p.version, proposed_by: row.proposed_by },
  })
  return toTemplate(done)
}
