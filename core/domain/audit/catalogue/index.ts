import type { AuditAction } from '../event.ts'
import { administrationEvents } from './administration.ts'
import { auditLogEvents } from './audit-log.ts'
import { deviceEvents } from './devices.ts'
import type { CatalogueEntry } from './entry.ts'
import { exportEvents } from './exports.ts'
import { linkEvents } from './links.ts'
import { messageEvents } from './messages.ts'
import { oncallEvents } from './oncall.ts'
import { pageEvents } from './pages.ts'
import { patientEvents } from './patients.ts'
import { recordEvents } from './records.ts'
import { refusedEvents } from './refused.ts'
import { roomEvents } from './rooms.ts'
import { serviceEvents } from './service.ts'
import { sinkEvents } from './sinks.ts'
import { textEvents } from './texts.ts'

/** Every action of the log, by area. To add one: its name in event.ts and its entry in its area's file; `docs/audit-events.md` follows with `wardroom config write`. */
export const catalogue = {
  ...administrationEvents,
  ...patientEvents,
  ...textEvents,
  ...linkEvents,
  ...roomEvents,
  ...messageEvents,
  ...deviceEvents,
  ...serviceEvents,
  ...refusedEvents,
  ...auditLogEvents,
  ...sinkEvents,
  ...recordEvents,
  ...exportEvents,
  ...oncallEvents,
  ...pageEvents,
} as const satisfies Record<AuditAction, CatalogueEntry>

/** The entry of an action; undefined for one that this version does not know. */
export const entryOf = (action: string): CatalogueEntry | undefined =>
  Object.hasOwn(catalogue, action) ? catalogue[action as AuditAction] : undefined
