import type { CatalogueEntry } from '../catalogue/entry.ts'
import { entryOf } from '../catalogue/index.ts'
import type { AuditRecord } from '../record.ts'
import { fieldText, oneLine, sentenceOf, unresolved } from '../sentence.ts'
import { type ExportContext, originOf, severityOf } from './cef.ts'
import { event } from './codes.ts'

type Kind = { category: number; class: number; activity: number }

const crud = { C: 1, R: 2, U: 3, D: 4, E: 99 } as const

/** OCSF's class: sign-ins, roles, findings, a service's life; everything else is activity at our interface. */
const kindOf = (r: AuditRecord, entry: CatalogueEntry | undefined): Kind => {
  const action = entry?.fhir.action ?? 'E'
  const subtype = entry?.fhir.subtype?.code
  if (subtype === event.login.code) return { category: 3, class: 3002, activity: 1 }
  if (subtype === event.logout.code) return { category: 3, class: 3002, activity: 2 }
  if (r.action === 'role.grant' || r.action === 'role.revoke')
    return { category: 3, class: 3005, activity: r.action === 'role.grant' ? 1 : 2 }
  if (r.action === 'alert.raise' || r.action === 'alert.clear')
    return { category: 2, class: 2004, activity: r.action === 'alert.raise' ? 1 : 3 }
  if (r.action === 'service.start' || r.action === 'service.stop')
    return { category: 6, class: 6002, activity: r.action === 'service.start' ? 3 : 4 }
  return { category: 6, class: 6003, activity: crud[action] }
}

/** CEF's 0 to 10 on OCSF's scale: informational, low, medium, high, critical. */
const severity = (n: number): number => (n <= 2 ? 1 : n <= 4 ? 2 : n <= 6 ? 3 : n <= 8 ? 4 : 5)

/** One entry as an event of the Open Cybersecurity Schema Framework 1.3. Unresolved identifiers are commitments. */
export const toOcsf = (r: AuditRecord, c: ExportContext): Record<string, unknown> => {
  const resolve = c.resolve ?? unresolved
  const entry = entryOf(r.action)
  const kind = kindOf(r, entry)
  const { ip, agent } = originOf(r, resolve)
  const full = (ref: string) => oneLine(resolve(ref)?.value ?? ref, 1000)
  const user = { uid: full(r.actor.ref), type: r.actor.kind, type_id: r.actor.kind === 'user' ? 1 : 99 }
  const object = { uid: full(r.object.ref), type: r.object.kind }
  return {
    category_uid: kind.category,
    class_uid: kind.class,
    activity_id: kind.activity,
    type_uid: kind.class * 100 + kind.activity,
    time: r.at,
    severity_id: severity(severityOf(r)),
    status_id: r.outcome === 'done' ? 1 : 2,
    status_detail: r.reason === undefined ? undefined : fieldText(r.reason, resolve),
    message: sentenceOf(r, c.resolve),
    metadata: {
      version: '1.3.0',
      product: { name: 'Wardroom', vendor_name: 'Wardroom', version: c.version },
      log_name: 'audit',
      log_provider: oneLine(c.site),
      uid: `${oneLine(c.site)}:${r.idx}`,
      sequence: r.idx,
    },
    actor: { user, session: r.actor.device === undefined ? undefined : { uid: full(r.actor.device) } },
    user: kind.category === 3 ? user : undefined,
    privileges: kind.class === 3005 ? [String(r.detail?.role ?? r.detail?.roles ?? '-')] : undefined,
    app: kind.class === 6002 ? { name: full(r.object.ref), vendor_name: 'Wardroom' } : undefined,
    finding_info: kind.class === 2004 ? { uid: full(r.object.ref), title: entry?.title ?? r.action } : undefined,
    api: kind.class === 6003 ? { operation: r.action } : undefined,
    src_endpoint: { ip, name: ip === undefined ? oneLine(c.site) : undefined },
    http_request: agent === undefined ? undefined : { user_agent: agent },
    resources: [object],
    unmapped: {
      patient: r.patient === undefined ? undefined : full(r.patient),
      room: r.room === undefined ? undefined : full(r.room),
      detail: r.detail,
    },
  }
}
