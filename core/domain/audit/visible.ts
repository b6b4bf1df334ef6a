import type { Role } from '../roles.ts'
import { type AuditAction, auditActions, clearObjectKinds } from './event.ts'
import type { AuditRecord } from './record.ts'

/** The roles that may sign in to the administrators' page. */
export const pageRoles = ['compliance', 'admin', 'supervisor'] as const satisfies readonly Role[]
export type PageRole = (typeof pageRoles)[number]

/** What an administrator who is no compliance officer sees of the log: how the service is run, never what was done for a patient. */
const runningTheService: readonly RegExp[] = [
  /^(command|config|retention|role|approval|template|status|service|crypto|event|job|request|transaction|webhook)\./,
  /^(sink|alert|checkpoint|admin|oncall)\./,
  /^(audit\.(export|verify|digest|key_rotate|prune)|device\.change)$/,
]

const forAdmin: readonly AuditAction[] = auditActions.filter(a => runningTheService.some(pattern => pattern.test(a)))

/** The actions of the log that somebody with these roles sees. */
export const visibleActions = (held: readonly Role[]): readonly AuditAction[] =>
  held.includes('compliance') ? auditActions : held.includes('admin') ? forAdmin : []

const isClear = (kind: AuditRecord['object']['kind']): boolean => (clearObjectKinds as readonly string[]).includes(kind)

/**
 * An entry as somebody with these roles sees it: for an administrator without what could lead to a patient, although it is only a commitment, so that nobody
 * follows one patient through the log with that role. Null for an entry that they do not see at all.
 */
export const shownTo = (held: readonly Role[], r: AuditRecord): AuditRecord | null => {
  if (held.includes('compliance')) return r
  if (!visibleActions(held).includes(r.action)) return null
  const { patient: _p, room: _r, origin: _o, ...rest } = r
  const actor = r.actor.kind === 'person' || r.actor.kind === 'anonymous' ? { kind: r.actor.kind, ref: '' } : r.actor
  return { ...rest, actor, object: isClear(r.object.kind) ? r.object : { kind: r.object.kind, ref: '' } }
}
