import type { Instant } from '../clock.ts'

/** Who did it: a Matrix user, a patient's or caregiver's person id, a service of ours, or a peer (the SMS provider). */
export type Actor = { kind: 'user' | 'person' | 'service' | 'peer' | 'anonymous'; id: string; device?: string }

export type Outcome = 'done' | 'refused' | 'failed'

/** Every action that Wardroom records; the audit exporter maps each to FHIR AuditEvent and CEF. */
export const auditActions = [
  'command.run',
  'config.change',
  'role.grant',
  'role.revoke',
  'role.suspend',
  'approval.request',
  'approval.give',
  'patient.enrol',
  'patient.ready',
  'patient.close',
  'patient.erase',
  'patient.view',
  'patient.change',
  'caregiver.add',
  'caregiver.remove',
  'consent.record',
  'consent.revoke',
  'consent.view',
  'number.stop',
  'number.start',
  'number.help',
  'text.queue',
  'text.send',
  'text.status',
  'text.inbound',
  'template.propose',
  'template.approve',
  'link.create',
  'link.tap',
  'link.verify',
  'link.lock',
  'link.renew',
  'link.withdraw',
  'link.not_me',
  'session.start',
  'session.key',
  'session.end',
  'session.extend',
  'session.replace',
  'session.read',
  'session.write',
  'session.consent',
  'session.undecryptable',
  'room.create',
  'room.archive',
  'room.member',
  'room.speak',
  'message.notice',
  'message.read',
  'message.failed',
  'device.create',
  'device.delete',
  'device.renew',
  'crypto.reset',
  'event.poison',
  'job.done',
  'job.failed',
  'service.start',
  'service.stop',
  'task.open',
  'task.close',
  // What the homeserver reports of the rooms and of people's devices: never content.
  'message.sent',
  'message.edit',
  'message.redact',
  'message.receipt',
  'room.join',
  'room.leave',
  'room.invite',
  'room.kick',
  'room.ban',
  'room.unban',
  'room.knock',
  'power.change',
  'device.change',
  // What was refused before anybody was known.
  'request.refused',
  'request.limited',
  'transaction.refused',
  'webhook.refused',
  // What was looked at.
  'config.view',
  'role.view',
  'template.view',
  'status.view',
  // The audit log itself.
  'audit.view',
  'audit.reveal',
  'audit.report',
  'audit.export',
  'audit.verify',
  'audit.digest',
  'audit.key_rotate',
  'audit.prune',
  'audit.erase',
  'sink.add',
  'sink.change',
  'sink.remove',
  'sink.test',
  'sink.pause',
  'sink.resume',
  'sink.replay',
  'sink.dead_letter',
  'alert.raise',
  'alert.clear',
  'alert.rule',
  'alert.try',
  'checkpoint.pin',
  'checkpoint.cosign',
  'checkpoint.conflict',
  // The administrators' page.
  'admin.link',
  'admin.session',
  'admin.view',
  'admin.refused',
  // Retention, recall and legal holds.
  'retention.change',
  'retention.view',
  'ephemeral.change',
  'hold.place',
  'hold.release',
  'hold.view',
  'record.recall',
  'record.hide',
  'record.destroy',
  'record.certificate',
  'key.destroy',
  'key.certificate',
  'record.server',
  'record.removal',
  'record.media',
  'record.cover',
  'record.uncover',
  'escrow.create',
  // Exports of records, and patients' copies.
  'export.request',
  'export.approve',
  'export.cancel',
  'export.expire',
  'export.tell',
  'export.run',
  'export.key',
  'export.done',
  'export.check',
  'export.view',
  // On-call schedules and how people on call are reached.
  'oncall.role',
  'oncall.change',
  'oncall.swap',
  'oncall.person',
  'oncall.import',
  'oncall.feed',
  'oncall.view',
  'oncall.print',
  // Pages and alarms.
  'page.create',
  'page.join',
  'page.contact',
  'page.accept',
  'page.decline',
  'page.hand_over',
  'page.raise',
  'page.resolve',
  'page.exhaust',
  'page.refuse',
  'page.clock',
  'page.forget',
  'page.chat_away',
  'page.chat_back',
  'page.view',
  'alarm.receive',
  'alarm.add_source',
  'alarm.revoke_source',
] as const
export type AuditAction = (typeof auditActions)[number]

/** Objects whose identifier stands in the log in clear; every other kind could lead to a patient or to a conversation and becomes a commitment. */
export const clearObjectKinds = [
  'setting',
  'role',
  'template',
  'service',
  'command',
  'approval',
  'job',
  'device',
  'audit',
  'sink',
  'alert',
  'checkpoint',
  'report',
  'route',
  'policy',
  'hold',
  'export',
  'oncall',
  'page',
  'alarm_source',
] as const satisfies readonly AuditEvent['object']['kind'][]

/**
 * One row of the audit log. It holds identifiers, never a name, birth date, telephone number or message text.
 * `object` names what it was done to by kind and id; `detail` has only codes, counts and versions.
 */
export type AuditEvent = {
  at: Instant
  actor: Actor
  action: AuditAction
  object: {
    kind:
      | 'room'
      | 'patient'
      | 'person'
      | 'link'
      | 'session'
      | 'text'
      | 'event'
      | 'job'
      | 'setting'
      | 'role'
      | 'template'
      | 'device'
      | 'service'
      | 'command'
      | 'approval'
      | 'audit'
      | 'sink'
      | 'alert'
      | 'checkpoint'
      | 'report'
      | 'route'
      | 'policy'
      | 'hold'
      | 'export'
      | 'oncall'
      | 'page'
      | 'alarm_source'
    id: string
  }
  outcome: Outcome
  patient?: string
  room?: string
  origin?: { ip?: string; agent?: string }
  reason?: string
  detail?: Record<string, string | number | boolean | null>
}
