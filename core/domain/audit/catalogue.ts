import type { AuditAction } from './event.ts'
import { type Code, event, interaction, restful } from './formats/codes.ts'

/** What an event is about, for reports and filters. */
export const auditClasses = ['access', 'administration', 'communication', 'security', 'consent', 'system'] as const
export type AuditClass = (typeof auditClasses)[number]

/** Create, read, update, delete, execute (FHIR `AuditEvent.action`). */
export type FhirAction = 'C' | 'R' | 'U' | 'D' | 'E'
/** The basic profile of IHE BALP that an event follows when it was done; with a patient, the Patient profile of the same name. */
export type BalpProfile = 'Read' | 'Create' | 'Update' | 'Delete'

export type FhirMapping = { type: Code; subtype: Code | null; action: FhirAction; balp?: BalpProfile }

/**
 * One action as people and other systems are told of it. Sentences are verb phrases after the actor: `did` when it was done, `tried` after "tried to"; `refused` and
 * `failed` replace "tried to …" where that would read wrong. `{object}` and any `{key}` of the detail are filled in; a part in [brackets] goes when a value is missing.
 */
export type CatalogueEntry = {
  class: AuditClass
  title: string
  did: string
  tried: string
  refused?: string
  failed?: string
  fhir: FhirMapping
  /** CEF, 0 to 10, when it was done; refusals and failures are graver (core/domain/audit/formats/cef.ts). Its signature id is the action. */
  severity: number
}

type Also = { refused?: string; failed?: string; severity?: number }
type Make = (title: string, did: string, tried: string, fhir: FhirMapping, also?: Also) => CatalogueEntry

const of =
  (area: AuditClass, severity: number): Make =>
  (title, did, tried, fhir, also = {}) => ({ class: area, title, did, tried, fhir, severity, ...also })

const access = of('access', 3)
const administration = of('administration', 4)
const communication = of('communication', 2)
const security = of('security', 5)
const consent = of('consent', 3)
const system = of('system', 2)

const rest = (verb: 'read' | 'create' | 'update' | 'delete', action: FhirAction, balp: BalpProfile): FhirMapping => ({
  type: restful,
  subtype: interaction(verb),
  action,
  balp,
})
const read = rest('read', 'R', 'Read')
const create = rest('create', 'C', 'Create')
const update = rest('update', 'U', 'Update')
const remove = rest('delete', 'D', 'Delete')
const dcm = (type: Code, action: FhirAction, subtype: Code | null = null): FhirMapping => ({ type, subtype, action })
const activity = (action: FhirAction) => dcm(event.activity, action)
const login = dcm(event.authentication, 'E', event.login)
const logout = dcm(event.authentication, 'E', event.logout)
const alert = dcm(event.alert, 'E')
const configuration = (action: FhirAction) => dcm(event.alert, action, event.softwareConfiguration)
const roles = (action: FhirAction) => dcm(event.alert, action, event.roles)
const restricted = dcm(event.alert, 'E', event.restricted)
const logUsed = (action: FhirAction = 'R') => dcm(event.logUsed, action)

/** Every action of the log. To add one: its name in event.ts and its line here; `docs/audit-events.md` follows with `wardroom config write`. */
export const catalogue = {
  'command.run': administration('Command', 'gave the command !{object}', 'give the command !{object}', activity('E'), {
    failed: 'gave the command !{object}, which broke down; nothing was changed',
  }),
  'config.change': administration(
    'Setting changed',
    'changed the setting {object}[ from {before}][ to {after}][, approved by {approved_by}]',
    'change the setting {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'role.grant': administration(
    'Role granted',
    'granted {object}[ the role {role}][ their roles: {roles}][, approved by {approved_by}]',
    'grant {object} a role',
    roles('C'),
    { severity: 7 },
  ),
  'role.revoke': administration(
    'Role revoked',
    'took from {object}[ the role {role}][, approved by {approved_by}]',
    'take a role from {object}',
    roles('D'),
    { severity: 6 },
  ),
  'role.suspend': security(
    'Role suspended',
    'suspended[ the role {role}] of {object}',
    'suspend a role of {object}',
    roles('U'),
    { severity: 8 },
  ),
  'approval.request': administration(
    'Approval requested',
    'asked a second person to approve {object}[ ({kind})]',
    'ask for an approval',
    configuration('C'),
  ),
  'approval.give': administration(
    'Approval decided',
    'approved {object}[ ({kind})][, which {requested_by} had asked for]',
    'approve {object}',
    configuration('E'),
    { refused: 'rejected {object}[ ({kind})][, which {requested_by} had asked for]', severity: 6 },
  ),
  'patient.enrol': administration('Patient enrolled', 'enrolled {object}', 'enrol a patient', create),
  'patient.ready': administration(
    'Care room ready',
    'opened the care room of {object}',
    'open the care room of {object}',
    update,
    { failed: 'could not make the care room of {object}' },
  ),
  'patient.close': administration('Patient closed', 'closed {object}', 'close {object}', update, { severity: 5 }),
  'patient.erase': administration(
    'End of a record decided',
    'decided that the record of {object} ends[, approved by {approved_by}][: {messages} messages]',
    'end the record of {object}',
    remove,
    { severity: 8 },
  ),
  'patient.view': access('Patient viewed', 'looked at {object}[, {count} patients]', 'look at {object}', read),
  'patient.change': administration('Patient changed', 'changed {object}[ ({what})]', 'change {object}', update),
  'caregiver.add': administration('Caregiver added', 'added {object} as caregiver', 'add a caregiver', create),
  'caregiver.remove': administration('Caregiver removed', 'took out {object}', 'take out {object}', remove),
  'consent.record': consent(
    'Consent recorded',
    "recorded {object}'s consent[ to {scope}][, text version {version}][, {method}]",
    'record a consent of {object}',
    create,
  ),
  'consent.revoke': consent(
    'Consent withdrawn',
    "withdrew {object}'s consent[ to {scope}]",
    'withdraw a consent of {object}',
    update,
    { severity: 5 },
  ),
  'consent.view': access('Consents viewed', 'looked at the consents of {object}', 'look at consents', read),
  'number.stop': consent(
    'Texts stopped',
    'stopped all texts to the number of {object}',
    'stop the texts to the number of {object}',
    update,
    { severity: 5 },
  ),
  'number.start': consent(
    'Texts started',
    'let the number of {object} be texted again',
    'let the number of {object} be texted again',
    update,
  ),
  'number.help': communication('HELP answered', 'asked by text for help', 'ask by text for help', activity('R')),
  'text.queue': communication(
    'Text queued',
    'put a text in the queue[ ({template})]',
    'put a text in the queue[ ({template})]',
    activity('C'),
    { refused: 'held back a text[ ({template})] to {object}' },
  ),
  'text.send': communication(
    'Text sent',
    'gave {object} to the carrier[, {provider}]',
    'send {object}[ ({code})]',
    dcm(event.export, 'R'),
  ),
  'text.status': communication(
    'Text delivered or not',
    'reported {object}[: {status}]',
    'deliver {object}',
    activity('U'),
    { failed: 'reported that {object} was not delivered[ ({class}, {code})]' },
  ),
  'text.inbound': communication('Text received', 'sent us a text[ ({meaning})]', 'send us a text', activity('C')),
  'template.propose': administration(
    'Template proposed',
    'proposed new words for the text {object}[, version {version}]',
    'propose new words for the text {object}',
    configuration('C'),
  ),
  'template.approve': administration(
    'Template approved',
    'approved new words for the text {object}[, version {version}][, proposed by {proposed_by}]',
    'approve new words for the text {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'link.create': access('Link made', 'made {object}[ ({reason})]', 'make a link', create),
  'link.tap': access('Link opened', 'opened {object}', 'open {object}', login),
  'link.verify': access(
    'Identity checked',
    'proved who they are[ by {factor}]',
    'prove who they are[ by {factor}]',
    login,
  ),
  'link.lock': security('Link locked', 'gave three wrong answers: {object} is locked', 'lock {object}', alert, {
    severity: 7,
  }),
  'link.renew': access(
    'New link asked for',
    'asked for a new link to {object}',
    'get a new link to {object}',
    activity('C'),
  ),
  'link.withdraw': access('Link withdrawn', 'withdrew {object}', 'withdraw {object}', remove),
  'link.not_me': security(
    'Not for me',
    'answered that {object} is not for them',
    'answer that {object} is not for them',
    alert,
    { severity: 6 },
  ),
  'session.start': access('Session started', 'signed in to the patient page', 'sign in to the patient page', login),
  'session.key': access('Key released', "got the conversation's key", "get the conversation's key", restricted),
  'session.end': access('Session ended', 'ended {object}', 'end {object}', logout),
  'session.extend': access('Session extended', 'asked for more time', 'get more time', activity('U')),
  'session.replace': access('Session replaced', 'ended {object}, because a newer one began', 'end {object}', logout),
  'session.read': access(
    'Conversation read',
    'read in the patient page[ ({what})]',
    'read in the patient page[ ({what})]',
    read,
    { failed: 'could not open the messages in the patient page[ ({code})]' },
  ),
  'session.write': access(
    'Conversation written',
    'sent from the patient page[ ({what})]',
    'send from the patient page',
    create,
  ),
  'session.consent': consent(
    'Consent changed on the page',
    'changed a consent on the page[: {scope}]',
    'change a consent on the page',
    update,
  ),
  'session.undecryptable': communication(
    'Message not decrypted',
    'could not decrypt {object} and asked for it again',
    'ask for {object} again',
    activity('E'),
    { severity: 5 },
  ),
  'room.create': administration('Room made', 'made {object}[ ({class})]', 'make a room', create),
  'room.archive': administration('Room archived', 'archived {object}', 'archive {object}', update),
  'room.member': administration(
    'Membership changed',
    'changed who is in a room: {object}',
    'change who is in a room: {object}',
    roles('U'),
  ),
  'room.speak': communication('Room told', 'wrote a notice into a care room[ ({what})]', 'write a notice', create),
  'room.join': access('Joined', 'joined {object}', 'join {object}', roles('C')),
  'room.leave': access('Left', 'left {object}', 'leave {object}', roles('D')),
  'room.invite': administration('Invited', 'invited {subject} to {object}', 'invite {subject}', roles('C')),
  'room.kick': administration('Removed', 'took {subject} out of {object}', 'take {subject} out', roles('D')),
  'room.ban': administration('Banned', 'banned {subject} from {object}', 'ban {subject}', roles('D'), { severity: 6 }),
  'room.unban': administration('Unbanned', 'let {subject} be invited to {object} again', 'unban {subject}', roles('U')),
  'room.knock': access('Knocked', 'asked to be let into {object}', 'be let into {object}', roles('E')),
  'power.change': administration('Power changed', 'changed who may do what in {object}', 'change power', roles('U'), {
    severity: 6,
  }),
  'message.sent': communication('Message sent', 'sent {object}[ ({type})]', 'send a message', activity('C'), {
    severity: 1,
  }),
  'message.edit': communication('Message edited', 'edited {object}', 'edit {object}', activity('U')),
  'message.redact': communication('Message removed', 'removed {object}', 'remove {object}', activity('D'), {
    severity: 4,
  }),
  'message.receipt': communication('Read receipt', 'showed as read up to {object}', 'show as read', activity('R'), {
    severity: 1,
  }),
  'message.notice': communication(
    'Message noticed',
    'wrote {object}; a text tells of it',
    'tell of {object}',
    activity('E'),
  ),
  'message.read': access('Message read', 'read {object}', 'read {object}', read),
  'message.failed': communication(
    'Message not reached',
    'reached nobody with {object}',
    'deliver {object}',
    activity('E'),
    {
      failed: 'could not bring {object} to its reader[ ({failure})]',
      severity: 5,
    },
  ),
  'device.create': security(
    'Device made',
    'made a device: {object}[ ({kind})]',
    'make a device',
    dcm(event.alert, 'C', event.userSecurity),
    {
      severity: 3,
    },
  ),
  'device.delete': security(
    'Device deleted',
    'deleted a device: {object}',
    'delete a device',
    dcm(event.alert, 'D', event.userSecurity),
    {
      severity: 3,
    },
  ),
  'device.renew': security(
    'Waiting device renewed',
    'renewed the waiting device of {object}',
    'renew the waiting device of {object}',
    dcm(event.alert, 'U', event.userSecurity),
    { severity: 3 },
  ),
  'device.change': security(
    'Devices changed',
    'changed {object}[: {added} added, {removed} removed][, cross-signing {identity}]',
    'change their devices',
    dcm(event.alert, 'U', event.userSecurity),
  ),
  'crypto.reset': security(
    'Bot given a new identity',
    'gave the bot[ {bot}] a new device, {object}[; identity {identity}]',
    'give a bot a new device',
    dcm(event.alert, 'U', event.securityConfiguration),
    { severity: 8 },
  ),
  'event.poison': system('Event given up', 'gave {object} up', 'handle {object}', activity('E'), {
    failed: 'could not handle {object} and went on without it',
    severity: 6,
  }),
  'job.done': system('Job done', 'did {object}[ ({kind})]', 'do {object}[ ({kind})]', activity('E'), { severity: 1 }),
  'job.failed': system('Job given up', 'gave {object} up', 'do {object}', activity('E'), {
    failed: 'gave up {object}[ ({kind})][ after {attempts} tries]',
    severity: 6,
  }),
  'service.start': system(
    'Service started',
    'started {object}',
    'start {object}',
    dcm(event.activity, 'E', event.start),
    {
      severity: 3,
    },
  ),
  'service.stop': system('Service stopped', 'stopped {object}', 'stop {object}', dcm(event.activity, 'E', event.stop), {
    severity: 4,
  }),
  'task.open': communication(
    'Task opened',
    'asked the team to call, because of {object}[ ({why})]',
    'open a task',
    activity('C'),
  ),
  'task.close': communication('Task closed', 'closed the task of {object}', 'close a task', activity('U')),
  'request.refused': security('Request refused', 'answered {object}', 'use {object}', alert, {
    refused: 'was refused at {object}[ with {status}][, {count} times in a minute]',
  }),
  'request.limited': security('Too many requests', 'answered {object}', 'use {object}', alert, {
    refused: 'was slowed down at {object}[, {count} times in a minute]',
  }),
  'transaction.refused': security(
    'Homeserver transaction refused',
    'took a transaction',
    'push a transaction',
    dcm(event.alert, 'E', event.node),
    {
      refused: 'was refused as homeserver[ with {status}][, {count} times in a minute]',
      severity: 7,
    },
  ),
  'webhook.refused': security(
    'SMS webhook refused',
    'took a webhook',
    'call {object}',
    dcm(event.alert, 'E', event.node),
    {
      refused: 'was refused as SMS provider at {object}[ with {status}][, {count} times in a minute]',
      severity: 6,
    },
  ),
  'config.view': administration(
    'Settings viewed',
    'looked at settings (!{object})',
    'look at settings',
    configuration('R'),
    {
      severity: 2,
    },
  ),
  'role.view': administration('Roles viewed', 'looked at roles (!{object})', 'look at roles', roles('R'), {
    severity: 2,
  }),
  'template.view': administration(
    'Templates viewed',
    'looked at texts (!{object})',
    'look at texts',
    configuration('R'),
    {
      severity: 1,
    },
  ),
  'status.view': administration(
    'Status viewed',
    'looked at the state (!{object})',
    'look at the state',
    activity('R'),
    {
      severity: 1,
    },
  ),
  'audit.view': access('Audit log viewed', 'looked at the audit log ({object})', 'look at the audit log', logUsed(), {
    severity: 4,
  }),
  'audit.reveal': security(
    'Identity revealed',
    'revealed whom {object} stands for[: {kind}]',
    'reveal {object}',
    restricted,
    {
      severity: 8,
    },
  ),
  'audit.report': access('Audit report', 'made the report {object}[, {month}]', 'make the report {object}', logUsed(), {
    severity: 4,
  }),
  'audit.export': security(
    'Audit log exported',
    'exported the audit log ({object})[, {count} entries]',
    'export the audit log',
    dcm(event.export, 'R', event.logUsed),
    {
      severity: 7,
    },
  ),
  'audit.verify': security(
    'Audit log verified',
    'verified the audit log ({object})',
    'verify the audit log',
    logUsed('E'),
    {
      failed: 'found that the audit log does not verify ({object})',
      severity: 4,
    },
  ),
  'audit.digest': access('Audit digest', 'sent the audit digest ({object})', 'send the audit digest', logUsed(), {
    severity: 3,
  }),
  'audit.key_rotate': security(
    'Audit key changed',
    "changed the audit log's signing key to {object}",
    "change the audit log's key",
    dcm(event.alert, 'U', event.securityConfiguration),
    {
      severity: 8,
    },
  ),
  'audit.prune': security(
    'Audit log pruned',
    'deleted entries past their retention ({object})[, before {before}]',
    'prune the audit log',
    logUsed('D'),
    {
      severity: 7,
    },
  ),
  'audit.erase': security(
    'Patient erased',
    'erased what resolves the identifiers of {object}[, {count} values]',
    'erase {object}',
    dcm(event.patientRecord, 'D'),
    {
      severity: 8,
    },
  ),
  'sink.add': administration(
    'Sink added',
    'added the sink {object}[ ({type})]',
    'add the sink {object}',
    configuration('C'),
    { severity: 6 },
  ),
  'sink.change': administration(
    'Sink changed',
    'changed the sink {object}',
    'change the sink {object}',
    configuration('U'),
    { severity: 6 },
  ),
  'sink.remove': administration(
    'Sink removed',
    'removed the sink {object}',
    'remove the sink {object}',
    configuration('D'),
    { severity: 8 },
  ),
  'sink.test': administration(
    'Sink tested',
    'sent a test to the sink {object}',
    'test the sink {object}',
    activity('E'),
  ),
  'sink.pause': administration(
    'Sink paused',
    'paused the sink {object}',
    'pause the sink {object}',
    dcm(event.alert, 'U', event.recordingStopped),
    { severity: 7 },
  ),
  'sink.resume': administration(
    'Sink resumed',
    'let the sink {object} go on',
    'resume the sink {object}',
    dcm(event.alert, 'U', event.recordingStarted),
  ),
  'sink.replay': administration(
    'Sink replayed',
    'sent entries again to the sink {object}[ from {from}]',
    'replay the sink {object}',
    activity('E'),
    { severity: 5 },
  ),
  'sink.dead_letter': system(
    'Entry not accepted by a sink',
    'set an entry aside that {object} does not take',
    'export to {object}',
    activity('E'),
    {
      failed: 'set entries aside that the sink {object} does not take[, {count}]',
      severity: 7,
    },
  ),
  'alert.raise': security('Alert', 'raised the alert {object}[: {rule}]', 'raise the alert {object}', alert, {
    severity: 8,
  }),
  'alert.clear': security('Alert over', 'closed the alert {object}', 'close the alert {object}', alert, {
    severity: 3,
  }),
  'alert.rule': administration(
    'Alert rule changed',
    'changed the alert rule {object}',
    'change the alert rule {object}',
    configuration('U'),
    {
      severity: 7,
    },
  ),
  'alert.try': administration(
    'Alert rule tried',
    'tried the alert rule {object} on past events',
    'try the alert rule {object}',
    logUsed('E'),
  ),
  'checkpoint.pin': security(
    'Checkpoint pinned',
    'pinned the checkpoint {object}[ at {place}]',
    'pin the checkpoint {object}',
    dcm(event.alert, 'C', event.objectSecurity),
    {
      severity: 1,
    },
  ),
  'checkpoint.cosign': security(
    'Checkpoint cosigned',
    'had the checkpoint {object} cosigned[ by {witness}]',
    'have the checkpoint {object} cosigned',
    dcm(event.alert, 'U', event.objectSecurity),
    {
      severity: 1,
    },
  ),
  'checkpoint.conflict': security(
    'Checkpoint conflict',
    'found that the checkpoint {object} fits[ {place}]',
    'check the checkpoint {object}',
    dcm(event.alert, 'E', event.objectSecurity),
    {
      failed: 'found that the checkpoint {object} contradicts an earlier one[ at {place}]',
      severity: 10,
    },
  ),
  'admin.link': administration(
    'Admin page link',
    'asked for a sign-in link to the admin page',
    'get a sign-in link',
    activity('C'),
    { severity: 5 },
  ),
  'admin.session': administration(
    'Admin page session',
    'was at the admin page[: signed {what}][: stayed {on}][, {user}]',
    'sign in at the admin page',
    login,
    {
      severity: 6,
    },
  ),
  'admin.view': access(
    'Admin page viewed',
    'looked at {object} on the admin page',
    'look at {object} on the admin page',
    logUsed(),
    {
      severity: 3,
    },
  ),
  'admin.refused': security('Admin page refused', 'used the admin page', 'use the admin page', alert, {
    refused: 'was refused on the admin page[ at {route}][ with {status}]',
    severity: 7,
  }),
  'retention.change': administration(
    'Retention changed',
    'changed how long messages are kept ({object})[ {about}]',
    'change how long messages are kept',
    alert,
    { severity: 6 },
  ),
  'retention.view': access('Retention viewed', 'looked at how long messages are kept', 'look at retention', alert),
  'ephemeral.change': administration(
    'Ephemeral messages changed',
    'changed how shortly messages live in {object}',
    'make messages ephemeral',
    activity('U'),
    { severity: 5 },
  ),
  'hold.place': security(
    'Legal hold placed',
    'placed legal hold {object}[ over {there} messages]',
    'place a legal hold',
    alert,
    { severity: 6 },
  ),
  'hold.release': security(
    'Legal hold released',
    'released legal hold {object}[, approved by {approved_by}]',
    'release a legal hold',
    alert,
    { severity: 7 },
  ),
  'record.recall': communication('Message recalled', 'recalled {object}', 'recall a message', activity('D'), {
    severity: 5,
  }),
  'record.hide': administration(
    'Message hidden',
    'removed {object} from everybody’s eyes and kept a sealed copy',
    'hide a message',
    logUsed('U'),
    { severity: 5 },
  ),
  'record.destroy': administration(
    'Message destroyed',
    'destroyed the content of {object}',
    'destroy a message',
    logUsed('D'),
    { severity: 5 },
  ),
  'record.certificate': administration(
    'Deletion certified',
    'completed deletion run {object}[: {count} messages]',
    'complete a deletion run',
    logUsed('D'),
    { severity: 6 },
  ),
  'key.destroy': administration(
    'Key destroyed',
    'destroyed what could decrypt for {object}',
    'destroy what could decrypt for {object}',
    logUsed('D'),
    { severity: 6 },
  ),
  'key.certificate': administration(
    'Destruction of keys certified',
    'completed the destruction of keys {object}[: {count} in all][, approved by {approved_by}]',
    'complete a destruction of keys',
    logUsed('D'),
    { severity: 7 },
  ),
  'record.media': administration(
    'File destroyed',
    'destroyed a file that {object} carried',
    'destroy a file that {object} carried',
    logUsed('D'),
    { severity: 5 },
  ),
  'record.cover': administration(
    'Room covered',
    'added the records bot to {object}[, a {class} room]',
    'add the records bot to {object}',
    activity('C'),
    { severity: 5 },
  ),
  'record.uncover': administration(
    'Room not covered any more',
    'ended the keeping of records in {object}',
    'end the keeping of records in {object}',
    activity('D'),
    { severity: 6 },
  ),
  'escrow.create': security(
    'Key escrow made',
    'made a key escrow that only the officers together can open',
    'make a key escrow',
    restricted,
    { severity: 7 },
  ),
  'record.server': administration(
    'Removal at another server',
    'noted how far the removal of {object} is at {server}[: {state}]',
    'follow a removal at another server',
    logUsed('U'),
    { severity: 3 },
  ),
  'record.removal': administration(
    'Removal without effect',
    'noted that the removal of {object} had no effect',
    'remove a message',
    logUsed('U'),
    { severity: 6, refused: 'removed {object} without the right to, which had no effect' },
  ),
  'hold.view': access('Legal holds viewed', 'looked at the legal holds', 'look at legal holds', alert),
  'export.request': security(
    'Export asked for',
    'asked for the export {object} of records[ of a {kind}]',
    'ask for an export of records',
    alert,
    { severity: 7 },
  ),
  'export.approve': security(
    'Export approved',
    'approved the export {object}[, which {requested_by} had asked for][, of {rooms} rooms]',
    'approve an export of records',
    restricted,
    { severity: 8 },
  ),
  'export.cancel': security('Export cancelled', 'cancelled the export {object}', 'cancel an export', alert),
  'export.expire': security(
    'Export lapsed',
    'closed the export {object}, which nobody used in time',
    'close an export',
    alert,
  ),
  'export.tell': communication(
    'Room told of an export',
    'told a room of the export {object}',
    'tell a room of the export {object}',
    activity('E'),
  ),
  'export.run': security(
    'Export begun',
    'began the export {object}[ with the shares {shares}]',
    'begin the export {object}',
    restricted,
    { severity: 8 },
  ),
  'export.key': security(
    "Patient's key opened by officers",
    "opened a patient's key for the export {object}",
    "open a patient's key for the export {object}",
    restricted,
    { severity: 9 },
  ),
  'export.done': security(
    'Export written',
    'wrote the package of the export {object}[, {events} events of {rooms} rooms]',
    'write the package of the export {object}',
    dcm(event.export, 'R'),
    { severity: 8 },
  ),
  'export.check': access(
    'Export checked',
    'checked a package of the export {object}',
    'check a package of the export {object}',
    logUsed('R'),
  ),
  'export.view': access('Exports viewed', 'looked at the exports of records', 'look at exports of records', alert),
  'oncall.role': administration(
    'On-call role changed',
    'changed the on-call role {object}[: {what}]',
    'change the on-call role {object}',
    configuration('U'),
    { severity: 5 },
  ),
  'oncall.change': administration(
    'On-call schedule changed',
    'changed who is on call for {object}[: {what}][ {about}]',
    'change who is on call for {object}',
    configuration('U'),
    { severity: 5 },
  ),
  'oncall.swap': administration(
    'Duty swapped',
    'answered for the swap {about} of {object}[: {what}]',
    'answer for a swap of {object}',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.person': administration(
    'On-call contact changed',
    'changed how {object} is reached on call[: {what}]',
    'change how {object} is reached on call',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.import': administration(
    'Schedule imported',
    'imported duties for {object}[: {what}][, {added} added][, {removed} removed][, {moved} moved]',
    'import duties for {object}',
    configuration('U'),
    { severity: 5, failed: 'could not read the duties of {object} from their source[: {what}]' },
  ),
  'oncall.feed': administration(
    'Calendar address changed',
    'changed a calendar address for {object}[: {what}]',
    'change a calendar address for {object}',
    activity('U'),
    { severity: 4 },
  ),
  'oncall.view': access('On-call schedule viewed', 'looked at who is on call', 'look at who is on call', activity('R')),
  'oncall.print': access(
    'On-call page printed',
    'printed who is on call with their numbers[: {what}][, {numbers} numbers]',
    'print who is on call with their numbers',
    dcm(event.export, 'R'),
    { severity: 4 },
  ),
  'page.create': communication('Page', 'paged: {object}[, {priority}][, to {role}]', 'page somebody', activity('C'), {
    severity: 4,
  }),
  'page.join': communication('Page joined', 'sent one more of page {object}', 'join page {object}', activity('U')),
  'page.contact': communication(
    'Called about a page',
    'called somebody about page {object}[ by {way}]',
    'call somebody about page {object}',
    activity('E'),
    { severity: 3 },
  ),
  'page.accept': communication('Page accepted', 'accepted page {object}', 'accept page {object}', activity('U'), {
    severity: 4,
  }),
  'page.decline': communication('Page declined', 'declined page {object}', 'decline page {object}', activity('U'), {
    severity: 4,
  }),
  'page.hand_over': communication(
    'Page handed over',
    'handed page {object} over',
    'hand page {object} over',
    activity('U'),
    { severity: 4 },
  ),
  'page.raise': communication('Page raised', 'made page {object} more urgent', 'raise page {object}', activity('U'), {
    severity: 4,
  }),
  'page.resolve': communication('Page resolved', 'resolved page {object}', 'resolve page {object}', activity('U'), {
    severity: 4,
  }),
  'page.exhaust': communication(
    'Page that nobody accepted',
    'called the fallback of page {object}',
    'bring page {object} to somebody',
    activity('E'),
    { failed: 'found nobody who accepts page {object}', severity: 8 },
  ),
  'page.refuse': communication(
    'Answer to a page refused',
    'answered page {object}',
    'answer page {object}[ ({answer})]',
    activity('U'),
    { severity: 4 },
  ),
  'page.clock': system(
    'Clock set',
    'moved open pages with the clock, which was set[ by {step} ms][: {pages} pages]',
    'move pages with the clock',
    activity('E'),
    { severity: 6 },
  ),
  'page.forget': system(
    'Pages closed',
    'closed old pages and forgot their words[: {count}]',
    'forget pages',
    activity('D'),
  ),
  'page.chat_away': system(
    'Chat away',
    'found the homeserver away; pages go by telephone',
    'find the homeserver away',
    activity('E'),
    { severity: 6 },
  ),
  'page.chat_back': system(
    'Chat back',
    'found the homeserver back[ after {seconds} s][: {pages} pages meanwhile]',
    'find the homeserver back',
    activity('E'),
    { severity: 6 },
  ),
  'page.view': access('Pages viewed', 'looked at pages ({object})', 'look at pages', alert),
  'alarm.receive': communication('Alarm', 'raised an alarm ({object})', 'raise an alarm ({object})', activity('C'), {
    severity: 4,
  }),
  'alarm.add_source': security(
    'Alarm source added',
    'let the source {object} raise alarms[ for {role}]',
    'add the alarm source {object}',
    alert,
    { severity: 6 },
  ),
  'alarm.revoke_source': security(
    'Alarm source revoked',
    'took from the source {object} the right to raise alarms',
    'revoke the alarm source {object}',
    alert,
    { severity: 6 },
  ),
} as const satisfies Record<AuditAction, CatalogueEntry>

/** The entry of an action; undefined for one that this version does not know. */
export const entryOf = (action: string): CatalogueEntry | undefined =>
  Object.hasOwn(catalogue, action) ? catalogue[action as AuditAction] : undefined
