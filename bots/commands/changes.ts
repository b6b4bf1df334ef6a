import type { PatientId, UserId } from '../../core/domain/ids.ts'
import { scopeWords, valueWords } from '../../core/domain/records/policy-words.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { Role } from '../../core/domain/roles.ts'
import { type SettingKey, type Settings, settingOf } from '../../core/domain/settings/settings.ts'
import { staffOf } from '../../core/store/oncall/directory.ts'
import { pagesOf } from '../../core/store/oncall/page-contacts.ts'
import { namedIn, onCallRoles } from '../../core/store/oncall/read.ts'
import { approveExport } from '../../core/store/records/exports.ts'
import { releaseHold } from '../../core/store/records/holds.ts'
import { carries, changeLabel, type LabelChange } from '../../core/store/records/labels.ts'
import { changePolicy, type PolicyChange, policyNow } from '../../core/store/records/policies.ts'
import { requestApproval } from '../../core/store/staff/approvals.ts'
import { grantRole, holdersOf, revokeRole } from '../../core/store/staff/roles.ts'
import { changeSetting, readSettings, storedSetting } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { type Answer, answer, type Block, code, fields } from '../framework/answer.ts'
import type { CommandContext } from '../framework/command.ts'
import { say } from '../framework/say.ts'
import { keepers, staff } from './oncall/args.ts'
import { applyOnCall, type OnCallChangeProposal } from './oncall/proposal.ts'
import { erasePatientNow } from './records/erase.ts'

/** A change that is previewed before it is made; it is stored, sealed, until it is confirmed or approved. */
export type Change =
  | { kind: 'setting'; key: SettingKey; before: string | null; after: string | null }
  | { kind: 'role.grant'; user: UserId; role: Role; identity: string }
  | { kind: 'role.revoke'; user: UserId; role: Role }
  | { kind: 'retention'; change: PolicyChange; before: PolicyChange['value'] }
  | ({ kind: 'retention.label'; patient?: string } & LabelChange)
  | { kind: 'hold.release'; hold: string }
  | { kind: 'patient.erase'; patient: PatientId; code: string }
  | { kind: 'export'; id: string; about: string; range: string; copy: boolean; reason: string; recipients: number }
  | OnCallChangeProposal

/** Who may decide: for what concerns records, the compliance officers as well; for schedules, those who keep them, and everybody about themselves. */
export const approversOf = (c: Change): readonly Role[] =>
  c.kind === 'oncall'
    ? c.own
      ? staff
      : keepers
    : ['retention', 'retention.label', 'hold.release', 'patient.erase', 'export'].includes(c.kind)
      ? ['compliance', 'admin']
      : ['admin']

const shown = (key: SettingKey, stored: string | null): string =>
  `${stored ?? settingOf(key).kind.show(settingOf(key).default)}${stored === null ? ' (default)' : ''}`

const labelWords = ({ label, on, event }: LabelChange): string =>
  `${on ? `put the label ${label} on` : `take the label ${label} off`} the ${event ? 'message' : 'room'}`

/** One line for the person who is asked to approve. */
export const summaryOf = (c: Change): string => {
  if (c.kind === 'setting') return `${c.key}: ${shown(c.key, c.before)} → ${shown(c.key, c.after)}`
  if (c.kind === 'retention') {
    const { scope, minimum, value } = c.change
    return `${scopeWords(scope)}${minimum ? ' (minimum)' : ''}: ${valueWords(c.before)} → ${valueWords(value)}`
  }
  if (c.kind === 'retention.label')
    return `${labelWords(c)} https://matrix.to/#/${c.room}${c.event ? `/${c.event}` : ''}`
  if (c.kind === 'hold.release') return `release legal hold ${c.hold}`
  if (c.kind === 'patient.erase') return `end the record of patient ${c.code}`
  if (c.kind === 'export') return `export of records ${c.id}`
  if (c.kind === 'oncall') return c.summary
  return c.kind === 'role.grant' ? `grant ${c.role} to ${c.user}` : `revoke ${c.role} from ${c.user}`
}

/** What will be different, and for whom. */
export const previewOf = (c: Change): Block => {
  switch (c.kind) {
    case 'setting':
      return fields(
        ['Setting', c.key],
        ['Before', shown(c.key, c.before)],
        ['After', shown(c.key, c.after)],
        ['Affects', settingOf(c.key).affects],
      )
    case 'retention':
      return fields(
        ['Kept', `${scopeWords(c.change.scope)}${c.change.minimum ? ' (minimum)' : ''}`],
        ['Before', valueWords(c.before)],
        ['After', valueWords(c.change.value)],
      )
    case 'retention.label':
      return fields(
        [c.on ? 'Put the label' : 'Take off the label', c.label],
        [c.event ? 'Message' : 'Room', `https://matrix.to/#/${c.room}${c.event ? `/${c.event}` : ''}`],
      )
    case 'hold.release':
      return fields(['Release', `legal hold ${c.hold}`])
    case 'patient.erase':
      return fields(['End the record of', `patient ${c.code}`])
    case 'export':
      return fields(
        [c.copy ? "Patient's copy" : 'Export', c.id],
        ['About', c.about],
        ['Sent', c.range],
        ['Why', c.reason],
        ['Encrypted to', `${c.recipients} recipients`],
      )
    case 'oncall':
      return fields(['On call', c.summary])
    case 'role.grant':
      return fields(['Grant', c.role], ['To', c.user])
    case 'role.revoke':
      return fields(['Revoke', c.role], ['From', c.user])
  }
}

type Decision = { by: UserId; approvedBy?: UserId }

/** Makes the change with its history and audit. Refuses a setting that was changed since the preview. */
export const applyChange = async (tx: Tx, c: Change, { by, approvedBy }: Decision): Promise<Answer | Refusal> => {
  if (c.kind === 'setting') {
    if ((await storedSetting(tx.sql, c.key)) !== c.before)
      return refuse('changed-meanwhile', `${c.key} was changed meanwhile; look at it and set it again.`)
    const value = c.after === null ? null : settingOf(c.key).kind.parse(c.after)
    if (isRefusal(value)) return value
    const done = await changeSetting(tx, { key: c.key, value: value as Settings[SettingKey] | null, by, approvedBy })
    return answer(
      `Done: ${summaryOf(c)}.${done ? ` This is change ${done.n}; !config rollback ${done.n} undoes it.` : ''}`,
    )
  }
  if (c.kind === 'retention') {
    if (valueWords(await policyNow(tx.sql, c.change)) !== valueWords(c.before))
      return refuse('changed-meanwhile', 'This rule was changed meanwhile; look at it and set it again.')
    const done = await changePolicy(tx, c.change, { by, approvedBy })
    return done ? answer(`Done: ${summaryOf(c)}.`) : refuse('no-change', 'It is that already.')
  }
  if (c.kind === 'retention.label') {
    if (!approvedBy) return refuse('no-second-person', 'A label is changed by two people.')
    if ((await carries(tx.sql, c)) === c.on)
      return refuse('changed-meanwhile', 'This label was changed meanwhile; look at it again.')
    return answer(`Done: ${summaryOf(c)}, ${await changeLabel(tx, c, { by, approvedBy })} messages.`)
  }
  if (c.kind === 'hold.release') {
    if (!approvedBy) return refuse('no-second-person', 'A legal hold is released by two people.')
    return (await releaseHold(tx, c.hold, { by, approvedBy }))
      ? answer(`Done: legal hold ${c.hold} is released; what is due goes with the next run.`)
      : refuse('unknown-hold', `There is no hold ${c.hold} in force.`)
  }
  if (c.kind === 'patient.erase')
    return approvedBy
      ? erasePatientNow(tx, c, { by, approvedBy })
      : refuse('no-second-person', 'A record is ended by two people.')
  if (c.kind === 'export') {
    if (!approvedBy) return refuse('no-second-person', 'An export of records needs two people.')
    const hoursOpen = (await readSettings(tx.sql))['export.approved_hours']
    const approved = await approveExport(tx, c.id, { by: approvedBy, hoursOpen })
    if (!approved) return refuse('unknown-export', `There is no export ${c.id}.`)
    if (isRefusal(approved)) return approved
    return answer(
      `Done: export ${c.id} is approved; its rooms are being told. For ${hoursOpen} hours, officers can run it with their shares: wardroom export run ${c.id}`,
    )
  }
  if (c.kind === 'oncall') return applyOnCall(tx, c, by)
  if (c.kind === 'role.grant') {
    await grantRole(tx, { userId: c.user, role: c.role, by, identity: c.identity, approvedBy })
    return answer(`Done: ${c.user} is ${c.role} now, bound to their present cryptographic identity.`)
  }
  const result = await revokeRole(tx, { userId: c.user, role: c.role, by, approvedBy })
  if (result === 'none') return refuse('no-such-role', `${c.user} does not hold ${c.role}.`)
  if (result === 'last')
    return refuse('last-admin', 'This is the last administrator; grant the role to somebody else first.')
  return answer(`Done: ${c.user} is no longer ${c.role}.`, ...(await stillOnCall(tx, c.user)))
}

/** What somebody who holds no role any more leaves behind: schedules, where pages pass them over, and pages that they took. */
const stillOnCall = async (tx: Tx, user: UserId): Promise<string[]> => {
  if ((await staffOf(tx)).has(user)) return []
  const keys = (await onCallRoles(tx)).filter(e => namedIn(e.schedule).has(user)).map(e => e.role.key)
  const refs = (await pagesOf(tx.sql, user)).filter(p => p.has).map(p => p.ref)
  return [
    ...(keys.length > 0
      ? [`They still stand in the schedules of ${keys.join(', ')}. Pages pass them over; put somebody else there.`]
      : []),
    ...(refs.length > 0
      ? [
          `They have taken ${refs.join(', ')} and not resolved it: see that somebody else goes (!resolve, and page again).`,
        ]
      : []),
  ]
}

/** Stores the change for its author's `!confirm` and answers with the preview. */
export const proposeForConfirm = async (
  context: CommandContext,
  c: Change,
  notes: readonly Block[] = [],
): Promise<Answer> => {
  const { tx, sender, room, eventId } = context
  await requestApproval(tx, {
    kind: c.kind,
    payload: c,
    summary: summaryOf(c),
    by: sender.userId,
    roomId: room.roomId,
    eventId,
    self: true,
  })
  return answer(previewOf(c), ...notes, 'Nothing is changed yet. Write !confirm within 15 minutes to apply it.')
}

/** Asks everybody else who may be the second person, each in their own encrypted chat, and answers with the preview. Refuses when there is nobody. */
export const proposeForApproval = async (
  context: CommandContext,
  c: Change,
  notes: readonly Block[] = [],
): Promise<Answer | Refusal> => {
  const { tx, sender, room, eventId } = context
  const roles = approversOf(c)
  const person = roles.length > 1 ? 'a second person (compliance or administrator)' : 'a second administrator'
  const holders = await Promise.all(roles.map(role => holdersOf(tx.sql, role)))
  const others = [...new Set(holders.flat())].filter(a => a !== sender.userId)
  if (others.length === 0)
    return refuse(
      'no-second-admin',
      `This needs the approval of ${person}, and there is none. Name one first: !role grant @user admin`,
    )
  const request = await requestApproval(tx, {
    kind: c.kind,
    payload: c,
    summary: summaryOf(c),
    by: sender.userId,
    roomId: room.roomId,
    eventId,
    self: false,
  })
  const question = answer(
    `${sender.userId} asks for your approval as ${person}:`,
    previewOf(c),
    ...notes,
    'If it is right, write within 15 minutes:',
    code(`!approve ${request.code}`),
    'If not:',
    code(`!reject ${request.code}`),
  )
  for (const other of others) await say(tx, `ask:${request.id}:${other}`, { user: other }, question)
  return answer(
    previewOf(c),
    ...notes,
    `Nothing is changed yet. ${person[0]?.toUpperCase()}${person.slice(1)} has to approve within 15 minutes; I have asked ${others.join(', ')}.`,
  )
}
