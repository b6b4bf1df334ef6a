import { hours, minutes } from '../../clock.ts'
import { isOpen } from '../../settings/open-hours.ts'
import { whole, yesNo } from '../../settings/setting.ts'
import type { AuditAction } from '../event.ts'
import { bursts, type Finding, number, type Param, type Rule, type Seen, type Values } from './rule.ts'

const enabled: Param<boolean> = { kind: yesNo, default: true, help: 'Whether it is watched.' }
const count = (value: number, help: string, max = 10_000): Param<number> => ({
  kind: whole(1, max),
  default: value,
  help,
})
const minutesParam = (value: number, help: string): Param<number> => ({
  kind: whole(1, 10_080),
  default: value,
  unit: 'minutes',
  help,
})
const windowParam = (value: number) => minutesParam(value, 'In which stretch of time they are counted.')
const windowOf = (values: Values) => minutes(number(values, 'window'))

const single = (rule: string, s: Seen, key: string, about: Finding['about']): Finding => ({
  rule,
  key,
  about,
  count: 1,
  first: s.idx,
  last: s.idx,
  at: s.at,
})

type Counted = ReturnType<typeof bursts>[number]
const many = (rule: string, b: Counted, key: string, about: Finding['about']): Finding => ({
  rule,
  key,
  about,
  count: b.count,
  first: b.first.idx,
  last: b.entry.idx,
  at: b.entry.at,
})
/** Of what one person did, told once a person. */
const manyByOne = (rule: string) => (b: Counted) => many(rule, b, `user:${b.key}`, { user: b.key })

const byStaff = (s: Seen): boolean => s.actor.kind === 'user'
/** The server's command line acts as a service that names its user. */
const byPeople = (s: Seen): boolean => byStaff(s) || /^(host:|cli\/)/.test(s.actor.ref)
const news = (seen: readonly Seen[], from: number, rule: Pick<Rule, 'actions'>) =>
  seen.filter(s => s.idx >= from && rule.actions.includes(s.action))

/** What shows that somebody of the staff opened a patient: by a command, or in the care room. */
const opened: readonly AuditAction[] = [
  'patient.view',
  'patient.change',
  'consent.view',
  'consent.record',
  'consent.revoke',
  'command.run',
  'message.sent',
  'message.receipt',
]
/** The same by command alone: no membership of the room is needed for it. */
const lookedUp = opened.filter(a => !a.startsWith('message.'))
const opens = (s: Seen, actions: readonly AuditAction[]) =>
  byStaff(s) && s.patient !== undefined && s.outcome === 'done' && actions.includes(s.action)

const verifyBurst: Rule = {
  name: 'verify-burst',
  help: 'Many failed verifications of patients: from one address, of one patient, or altogether.',
  severity: 'warning',
  params: {
    enabled,
    per_origin: count(5, 'Failures from one address and browser.'),
    per_patient: count(5, 'Failures of one patient.'),
    overall: count(20, 'Failures altogether.'),
    window: windowParam(15),
  },
  actions: ['link.verify'],
  collapseMs: hours(1),
  lookMs: windowOf,
  find: (seen, from, values) => {
    const failed = (s: Seen) => s.action === 'link.verify' && s.outcome === 'refused'
    const counted = [
      ['origin', 'per_origin', (s: Seen) => (failed(s) ? s.origin : undefined)],
      ['patient', 'per_patient', (s: Seen) => (failed(s) ? s.patient : undefined)],
      ['all', 'overall', (s: Seen) => (failed(s) ? 'all' : undefined)],
    ] as const
    return counted.flatMap(([what, param, key]) =>
      bursts(seen, from, { key, threshold: number(values, param), windowMs: windowOf(values) }).map(b =>
        many('verify-burst', b, `${what}:${b.key}`, { what, ...(what === 'all' ? {} : { [what]: b.key }) }),
      ),
    )
  },
  sentence: (about, n) =>
    `${n} failed verifications of ${about.what === 'patient' ? 'one patient' : about.what === 'origin' ? 'patients from one address' : 'patients altogether'}.`,
  next: 'See what was tried: !audit reveal #{entry} reason "…". If it is not the patient, withdraw the link and call them.',
}

const manyPatients: Rule = {
  name: 'many-patients',
  help: 'One person opens many different patients.',
  severity: 'warning',
  params: { enabled, threshold: count(30, 'Different patients.'), window: windowParam(60) },
  actions: opened,
  collapseMs: hours(2),
  lookMs: windowOf,
  find: (seen, from, values) =>
    bursts(seen, from, {
      key: s => (opens(s, opened) ? s.actor.ref : undefined),
      distinct: s => s.patient ?? '',
      threshold: number(values, 'threshold'),
      windowMs: windowOf(values),
    }).map(manyByOne('many-patients')),
  sentence: (about, n) => `${about.user} opened ${n} different patients.`,
  next: 'See which: !audit user {user}. Ask for the reason.',
}

/** A rule about single openings of a patient by a member of staff; `key`: what is told once. */
const openingRule = (
  rule: Pick<Rule, 'name' | 'help' | 'severity' | 'sentence' | 'next'>,
  actions: readonly AuditAction[],
  fits: (s: Seen) => boolean,
  key: (s: Seen) => string,
): Rule => ({
  ...rule,
  params: { enabled },
  actions,
  collapseMs: hours(24),
  find: (seen, from) =>
    news(seen, from, { actions })
      .filter(s => opens(s, actions) && fits(s))
      .map(s =>
        single(rule.name, s, key(s), {
          user: s.actor.ref,
          patient: s.patient ?? '',
        }),
      ),
})

const sameSurname = openingRule(
  {
    name: 'same-surname',
    help: 'Somebody of the staff opens a patient, or a patient with a caregiver, of the same surname.',
    severity: 'warning',
    sentence: about => `${about.user} opened a patient who has the same surname.`,
    next: 'See who it was: !audit reveal #{entry} reason "…". Ask whether they are related.',
  },
  opened,
  s => s.facts.sameSurname === true,
  s => `user:${s.actor.ref} patient:${s.patient}`,
)

const outsideTeam = openingRule(
  {
    name: 'outside-team',
    help: "Somebody of the staff opens a patient by command without being in the patient's care room. Who enrolled the patient and who holds the role desk are left out.",
    severity: 'notice',
    sentence: (about, n) =>
      n === 1
        ? `${about.user} opened a patient without being in the care room.`
        : `${about.user} opened patients ${n} times without being in their care rooms.`,
    next: 'See who it was: !audit reveal #{entry} reason "…". Ask for the reason.',
  },
  lookedUp,
  s => s.facts.outsideTeam === true,
  s => `user:${s.actor.ref}`,
)

const exportBurst: Rule = {
  name: 'export-burst',
  help: 'One person takes much: exports of the log or of records, reports and revealed entries.',
  severity: 'warning',
  params: { enabled, threshold: count(5, 'Exports, reports and reveals.'), window: windowParam(60) },
  actions: ['audit.export', 'audit.report', 'audit.reveal', 'export.request', 'export.run'],
  collapseMs: hours(2),
  lookMs: windowOf,
  find: (seen, from, values) =>
    bursts(seen, from, {
      key: s => (byPeople(s) && exportBurst.actions.includes(s.action) ? s.actor.ref : undefined),
      threshold: number(values, 'threshold'),
      windowMs: windowOf(values),
    }).map(manyByOne('export-burst')),
  sentence: (about, n) => `${about.user} took ${n} exports, reports or revealed entries.`,
  next: 'See which: !audit user {user}. Ask what they are for.',
}

const newAdmin: Rule = {
  name: 'new-admin',
  help: 'Somebody is made administrator or compliance officer.',
  severity: 'warning',
  params: { enabled },
  actions: ['role.grant'],
  collapseMs: minutes(1),
  find: (seen, from) =>
    news(seen, from, newAdmin)
      .filter(s => s.outcome === 'done' && (s.detail?.role === 'admin' || s.detail?.role === 'compliance'))
      .map(s =>
        single('new-admin', s, `user:${s.object.ref} ${s.detail?.role}`, {
          user: s.object.ref,
          by: s.actor.ref,
          role: String(s.detail?.role),
          second: String(s.detail?.approved_by ?? 'nobody'),
        }),
      ),
  sentence: about => `${about.user} was made ${about.role} by ${about.by}; approved by ${about.second}.`,
  next: 'If you do not know why, ask them now; !role revoke takes it back.',
}

const administration: readonly AuditAction[] = [
  'config.change',
  'role.grant',
  'role.revoke',
  'approval.give',
  'template.approve',
  'sink.add',
  'sink.change',
  'sink.remove',
  'alert.rule',
  'audit.key_rotate',
  'audit.prune',
  'crypto.reset',
  'retention.change',
  'hold.place',
  'hold.release',
  'patient.erase',
  'export.request',
  'export.run',
]

const outOfHours: Rule = {
  name: 'out-of-hours',
  help: 'Administration outside clinic.hours (by clinic.time_zone).',
  severity: 'notice',
  params: { enabled },
  actions: administration,
  collapseMs: hours(1),
  find: (seen, from, _values, context) =>
    news(seen, from, outOfHours)
      .filter(s => byPeople(s) && s.outcome === 'done' && !isOpen(context.hours, context.timeZone, s.at))
      .map(s => single('out-of-hours', s, `user:${s.actor.ref}`, { user: s.actor.ref, action: s.action })),
  sentence: (about, n) =>
    `${about.user} did administrative work outside of opening hours (${n} ${n === 1 ? 'act' : 'acts'}, the first: ${about.action}).`,
  next: 'See what: !audit user {user}.',
}

const foreignDevice: Rule = {
  name: 'foreign-device',
  help: 'A device or cross-signing identity of one of our own users that we did not make.',
  severity: 'critical',
  params: { enabled },
  actions: ['device.change'],
  collapseMs: hours(24),
  find: (seen, from) =>
    news(seen, from, foreignDevice)
      .filter(s => s.reason === 'foreign-device' || s.reason === 'identity-replaced')
      .map(s =>
        single('foreign-device', s, `${s.reason} ${s.object.ref} ${s.patient ?? ''}`, {
          what: s.reason ?? '',
          object: s.object.ref,
          ...(s.patient ? { patient: s.patient } : {}),
        }),
      ),
  sentence: about =>
    about.what === 'identity-replaced'
      ? `The cross-signing identity of a user of ours was replaced (${about.object}).`
      : `A user of ours has a device that Wardroom did not make (${about.object}).`,
  next: 'Somebody may have broken into the homeserver. Entry #{entry} has the device; follow "A foreign device" in the operating guide.',
}

const brokeDown: Rule = {
  name: 'broke-down',
  help: 'An event of the homeserver or a job of ours was given up.',
  severity: 'notice',
  params: { enabled },
  actions: ['event.poison', 'job.failed'],
  collapseMs: hours(1),
  find: (seen, from) =>
    news(seen, from, brokeDown)
      // A message to this very room that could not be sent must not lead to the next one.
      .filter(s => !String(s.detail?.kind ?? '').startsWith('compliance.'))
      .map(s => {
        const what = s.action === 'event.poison' ? 'event' : String(s.detail?.kind ?? 'job')
        return single('broke-down', s, `${s.actor.ref} ${what}`, { what, service: s.actor.ref })
      }),
  sentence: (about, n) =>
    about.what === 'event'
      ? `${n} ${n === 1 ? 'event' : 'events'} of the homeserver could not be handled and ${n === 1 ? 'was' : 'were'} given up (${about.service}).`
      : `${n} ${n === 1 ? 'job' : 'jobs'} of the kind ${about.what} ${n === 1 ? 'was' : 'were'} given up (${about.service}).`,
  next: 'Entry #{entry} has the reason; !status shows the queues.',
}

/** A rule about a state that is watched, not about entries. */
const state = (rule: Omit<Rule, 'actions' | 'collapseMs'>): Rule => ({ ...rule, actions: [], collapseMs: hours(24) })

const gap = state({
  name: 'gap',
  help: 'An entry of the log is missing, or is not the one that was hashed.',
  severity: 'critical',
  params: { enabled },
  sentence: about =>
    about.entry === 'log'
      ? 'What is stored of the audit log is not what was signed: somebody changed the database.'
      : about.what === 'changed'
        ? `Entry ${about.entry} of the audit log is not the one that was signed: somebody changed the database.`
        : `Entry ${about.entry} of the audit log is missing: somebody changed the database.`,
  next: 'Keep the database as it is, copy it, and run: wardroom audit verify',
})

const staleCheckpoint = state({
  name: 'stale-checkpoint',
  help: 'Events wait and no new checkpoint is signed.',
  severity: 'critical',
  params: { enabled, minutes: minutesParam(2, 'How long the oldest event may wait.') },
  sentence: about =>
    `Events have waited for ${about.minutes} minutes to get into the audit log; no checkpoint is signed.`,
  next: 'Is the service audit running? Nothing is lost: what waits is entered when it is back.',
})

const sinkBehind = state({
  name: 'sink-behind',
  help: 'A place to which the log is exported is behind, fails, or has refused entries.',
  severity: 'warning',
  params: { enabled, minutes: minutesParam(15, 'How old the oldest entry that it lacks may be.') },
  sentence: about => `The sink ${about.sink} is ${about.state}; it lacks entries for ${about.minutes} minutes.`,
  next: 'See why: !audit sink list. Nothing is lost: it goes on where it was.',
})

const serviceDown = state({
  name: 'service-down',
  help: 'A service of ours does not do its work.',
  severity: 'critical',
  params: { enabled, minutes: minutesParam(5, 'How long work may wait.') },
  sentence: about => `${about.service}: its work has waited for ${about.minutes} minutes.`,
  next: 'Is its process running? !status shows the queues.',
})

const rollback = state({
  name: 'rollback',
  help: 'The log is shorter than a checkpoint that was kept outside: an older database was put in its place.',
  severity: 'critical',
  params: { enabled },
  sentence: about =>
    `The audit log has ${about.size} entries, but ${about.place} holds a checkpoint over ${about.pinned}: an older database was put in its place.`,
  next: 'Stop the services, keep the database as it is, and find the newer one.',
})

const fork = state({
  name: 'fork',
  help: 'The log is not the one of a checkpoint that was kept outside: its history was rewritten.',
  severity: 'critical',
  params: { enabled },
  sentence: about =>
    `The history of the audit log up to entry ${about.pinned} is not the one that ${about.place} holds: it was rewritten.`,
  next: 'Keep the database and the pinned checkpoint as they are; compare with an export: wardroom audit verify',
})

const pinBehind = state({
  name: 'pin-behind',
  help: 'A place that keeps checkpoints outside has not got one for long.',
  severity: 'warning',
  params: { enabled, minutes: minutesParam(60, 'How long a place may go without the newest checkpoint.') },
  sentence: about => `${about.place} has not got a checkpoint for ${about.minutes} minutes (${about.error}).`,
  next: 'It is tried again by itself; look whether the place can be reached.',
})

const peerConflict = state({
  name: 'peer-conflict',
  help: "Another hospital's checkpoints contradict each other.",
  severity: 'warning',
  params: { enabled },
  sentence: about => `The audit log of ${about.origin} contradicts its earlier checkpoints (${about.what}).`,
  next: 'Tell the other hospital; both checkpoints are kept.',
})

const printStale = state({
  name: 'print-stale',
  help: 'The printable page of who is on call, which is for when chat is down, is not renewed.',
  severity: 'warning',
  params: { enabled, minutes: minutesParam(120, 'How old the stored copy may be.') },
  sentence: about => `The stored page of who is on call has not been renewed for ${about.minutes} minutes.`,
  next: 'Is the service bots running, and can it write the file (oncall.printFile)? Until then: wardroom oncall print',
})

/** Every rule there is. */
export const rules: readonly Rule[] = [
  verifyBurst,
  manyPatients,
  sameSurname,
  outsideTeam,
  exportBurst,
  newAdmin,
  outOfHours,
  foreignDevice,
  brokeDown,
  gap,
  staleCheckpoint,
  sinkBehind,
  serviceDown,
  rollback,
  fork,
  pinBehind,
  peerConflict,
  printStale,
]

export const ruleNamed = (name: string): Rule | undefined => rules.find(r => r.name === name)
