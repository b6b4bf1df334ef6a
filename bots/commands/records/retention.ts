import { days } from '../../../core/domain/clock.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import type { Decision } from '../../../core/domain/records/decide.ts'
import { otherServerWords } from '../../../core/domain/records/other-server.ts'
import { type Policy, type PolicyScope, windowBases } from '../../../core/domain/records/policy.ts'
import { goesSooner, keepWords, scopeWords, undercuts, valueWords } from '../../../core/domain/records/policy-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { fateOf, previewFates, recordById } from '../../../core/store/records/fates.ts'
import { labelsInUse } from '../../../core/store/records/labels.ts'
import { serversOf } from '../../../core/store/records/other-servers.ts'
import { listPolicies, type PolicyChange, policyHistory, policyNow } from '../../../core/store/records/policies.ts'
import { isKnownRoom } from '../../../core/store/records/rooms.ts'
import { type Answer, about, answer, type Block, fields, list, table } from '../../framework/answer.ts'
import { choice, named, optional } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { proposeForApproval, proposeForConfirm } from '../changes.ts'
import { keysOf } from './keys-of.ts'
import { keepArg, messageArg, scopeArg } from './policy-args.ts'
import { ruleWords } from './rule-words.ts'

const day = (at: number) => new Date(at).toISOString().slice(0, 10)
const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

export const retentionShow = command({
  words: ['retention', 'show'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'How long messages are kept: every window and every minimum, the most specific first.',
  run: async ({ tx, sender }) => {
    const policies = await listPolicies(tx.sql)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId },
      action: 'retention.view',
      object: { kind: 'policy', id: 'all' },
      outcome: 'done',
    })
    const always = 'A legal hold comes before all of it; the first that fits counts, then the next.'
    const used = await labelsInUse(tx.sql)
    const labels =
      used.length === 0
        ? []
        : [
            ...table(
              ['Label', 'On rooms', 'On messages'],
              used.map(u => [u.label, String(u.rooms), String(u.messages)]),
            ),
          ]
    if (policies.length === 0)
      return answer('There is no rule: messages are kept until somebody removes them.', ...labels, always)
    const row = (p: Policy) => [scopeWords(p.scope), p.minimum ? 'at least' : 'at most', valueWords(p)]
    return answer(...table(['About', '', 'Kept'], policies.map(row)), ...labels, always)
  },
})

const args = {
  scope: scopeArg(),
  keep: keepArg(),
  from: optional(named('from', choice(windowBases))),
  minimum: optional(named('minimum', choice(['yes', 'no']))),
}
type Wanted = {
  scope: PolicyScope
  keep: number | 'forever' | 'none'
  from?: (typeof windowBases)[number]
  minimum?: 'yes' | 'no'
}

/** The change that somebody typed, or why it cannot be. */
const readChange = async ({ tx }: CommandContext, w: Wanted): Promise<PolicyChange | Refusal> => {
  if (w.scope.kind === 'room' && !(await isKnownRoom(tx.sql, w.scope.room)))
    return refuse('unknown-room', 'No message of this room was ever seen here; is it the right room?')
  const minimum = w.minimum === 'yes'
  const value = w.keep === 'none' ? null : { from: w.from ?? 'sent', keepMs: w.keep === 'forever' ? null : w.keep }
  if (minimum && value?.from === 'read')
    return refuse('bad-minimum', 'A minimum cannot run from reading: what nobody reads would be kept for ever.')
  if (!minimum && value) {
    const bound = undercuts(await listPolicies(tx.sql), { scope: w.scope, ...value })
    if (bound)
      return refuse(
        'below-minimum',
        `The minimum for ${scopeWords(bound.scope)} is ${keepWords(bound.keepMs)}; a shorter window would have no effect.`,
      )
  }
  return { scope: w.scope, minimum, value }
}

const after = (policies: readonly Policy[], c: PolicyChange): Policy[] => {
  const others = policies.filter(p => p.minimum !== c.minimum || JSON.stringify(p.scope) !== JSON.stringify(c.scope))
  return c.value ? [...others, { id: 'new', scope: c.scope, minimum: c.minimum, ...c.value }] : others
}

/** What would go by the rules as they would be, beside what goes anyway. */
const consequences = async ({ tx }: CommandContext, c: PolicyChange): Promise<Block[]> => {
  const now = await listPolicies(tx.sql)
  const then = after(now, c)
  const at = async (inDays: number) => {
    const [before, with_] = [
      await previewFates(tx.sql, tx.now + days(inDays), now),
      await previewFates(tx.sql, tx.now + days(inDays), then),
    ]
    return { inDays, before, with_ }
  }
  const soon = [await at(0), await at(30), await at(365)]
  const first = soon[0]?.with_
  const when = (n: number) => (n === 0 ? 'at once' : `until ${day(tx.now + days(n))}`)
  return [
    fields(
      ...soon.map(
        s =>
          [
            `Would go ${when(s.inDays)}`,
            `${s.with_.messages} messages in ${s.with_.roomCount} rooms (by the present rules ${s.before.messages})`,
          ] as const,
      ),
    ),
    ...(first && first.rooms.length > 0
      ? [list(first.rooms.slice(0, 10).map(r => `https://matrix.to/#/${r.room}: ${r.messages} messages at once`))]
      : []),
  ]
}

const changeFields = (c: PolicyChange, before: PolicyChange['value']): Block =>
  fields(
    ['About', `${scopeWords(c.scope)}${c.minimum ? ' (minimum)' : ''}`],
    ['Before', valueWords(before)],
    ['After', valueWords(c.value)],
  )

export const retentionPreview = command({
  words: ['retention', 'preview'],
  needs: ['compliance', 'admin'],
  args,
  help: 'What a change would do: how many messages would go, from which rooms and when. Changes nothing.',
  views: 'retention.view',
  run: async (context, wanted) => {
    const change = await readChange(context, wanted)
    if (isRefusal(change)) return change
    const blocks = [
      changeFields(change, await policyNow(context.tx.sql, change)),
      ...(await consequences(context, change)),
    ]
    return answer(...blocks, 'What is under a legal hold, or recalled, is not counted as going by it.')
  },
})

export const retentionSet = command({
  words: ['retention', 'set'],
  needs: ['compliance', 'admin'],
  args,
  help: 'Say how long messages are kept; shows what would go, then waits for your !confirm or for a second person.',
  detail:
    'A window says when messages go; "minimum yes" makes it a statutory minimum instead, before which nothing goes. ' +
    'The most specific rule counts: label, user, room, class, organisation. "none" takes a rule away. What lets something go sooner needs a second person.',
  run: async (context, wanted): Promise<Answer | Refusal> => {
    const change = await readChange(context, wanted)
    if (isRefusal(change)) return change
    const before = await policyNow(context.tx.sql, change)
    if (valueWords(before) === valueWords(change.value))
      return refuse('no-change', `It is that already: ${valueWords(before)}.`)
    const proposal = { kind: 'retention' as const, change, before }
    const notes = await consequences(context, change)
    return goesSooner(before, change.value, change.minimum)
      ? proposeForApproval(context, proposal, notes)
      : proposeForConfirm(context, proposal, notes)
  },
})

export const retentionHistory = command({
  words: ['retention', 'history'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'Who changed how long messages are kept, when, from what to what, and who approved it.',
  views: 'retention.view',
  run: async ({ tx }) => {
    const changes = await policyHistory(tx.sql)
    if (changes.length === 0) return answer('Nothing was ever changed.')
    return answer(
      ...table(
        ['No.', 'When (UTC)', 'About', 'Before', 'After', 'By', 'Approved by'],
        changes.map(c => [
          String(c.n),
          minute(c.at),
          `${scopeWords(c.scope)}${c.minimum ? ' (minimum)' : ''}`,
          valueWords(c.before),
          valueWords(c.after),
          c.by,
          c.approvedBy ?? '',
        ]),
      ),
    )
  },
})

const decisionWords = (d: Decision): string =>
  d.do === 'destroy'
    ? 'It is due and goes with the next run.'
    : d.do === 'hide'
      ? `Nobody sees it any more; a sealed copy stays${d.until === null ? ' until that ends' : ` until ${minute(d.until)} UTC`}.`
      : d.until === null
        ? 'It stays; no end is known.'
        : `It stays until ${minute(d.until)} UTC.`

export const retentionWhy = command({
  words: ['retention', 'why'],
  needs: ['compliance', 'admin', 'supervisor', 'clinician'],
  args: { message: messageArg() },
  help: 'Which rule decides about a message, and when it will act.',
  run: async ({ tx, sender }, { message }): Promise<Answer | Refusal> => {
    const unknown = refuse(
      'unknown-message',
      'This message is not known here: it is older than the records, or of another server.',
    )
    const found = await recordById(tx.sql, message.event)
    if (!found) return unknown
    // Who does not oversee records learns only about their own messages.
    if (!sender.roles.some(r => r === 'compliance' || r === 'admin') && found.sender !== sender.userId) return unknown
    await tx.audit({
      actor: { kind: 'user', id: sender.userId },
      action: 'retention.view',
      object: { kind: 'event', id: found.event },
      outcome: 'done',
      room: found.room,
      patient: found.patient,
    })
    const servers = await serversOf(tx.sql, found.event)
    const keys = found.patient ? await keysOf(tx, found.patient as PatientId) : undefined
    const elsewhere = [
      ...(servers.length > 0 ? ['Other homeservers in its room then:', list(servers.map(otherServerWords))] : []),
      ...(keys ? [`Keys to the patient's record: ${keys}.`] : []),
    ]
    if (found.destroyedAt !== null)
      return answer(`Its content was destroyed here on ${minute(found.destroyedAt)} UTC.`, ...elsewhere)
    if (found.doomedAt !== null)
      return answer(
        `It passed the point of no return on ${minute(found.doomedAt)} UTC and is being destroyed.`,
        ...elsewhere,
      )
    const decision = await fateOf(tx.sql, found, tx.now)
    const policies = await listPolicies(tx.sql)
    const said = answer(
      fields(
        ['Sent', `${minute(found.sentAt)} UTC, in a ${found.class} room`],
        ['Rule', ruleWords(decision.rule, policies)],
        ...(decision.do === 'hide' ? [['Kept by', ruleWords(decision.binds, policies)] as const] : []),
      ),
      decisionWords(decision),
      ...(found.edits ? ['It is an edit: it goes with the message that it replaces.'] : []),
      ...elsewhere,
    )
    return found.patient ? about(found.patient as PatientId, said) : said
  },
})
