import type { Instant } from '../clock.ts'
import type { Actor, AuditAction, AuditEvent, Outcome } from './event.ts'

/**
 * One entry of the audit log, as its leaf has it. A `ref` is a salted commitment (43 characters of base64url) for everything that could lead to a patient
 * (patients, persons, rooms, links, sessions, texts, Matrix events, origins, free words), and the clear identifier for the rest (staff, settings, templates, services).
 */
export type AuditRecord = {
  /** Its place in the log, from 0, without gaps. */
  idx: number
  /** The identifier of the event that it records; unlike any other's, so that a repeated export shows. */
  id: number
  at: Instant
  actor: { kind: Actor['kind']; ref: string; device?: string }
  action: AuditAction
  object: { kind: AuditEvent['object']['kind']; ref: string }
  outcome: Outcome
  patient?: string
  room?: string
  /** Commitment to address and user agent. */
  origin?: string
  reason?: string
  detail?: Record<string, string | number | boolean | null>
}
