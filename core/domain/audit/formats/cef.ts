import { entryOf } from '../catalogue/index.ts'
import type { AuditRecord } from '../record.ts'
import { fieldText, oneLine, type Resolve, sentenceOf, unresolved } from '../sentence.ts'

/** What an export knows beside the entry. */
export type ExportContext = {
  /** The clinic's installation, e.g. its Matrix server name. */
  site: string
  /** Its public URL, without a slash at the end: the root of the identifiers that an export gives. */
  url: string
  /** Wardroom's version. */
  version: string
  /** Resolves commitments, where whoever set the export up may see more than the log itself holds. */
  resolve?: Resolve
}

/** Address and user agent of an entry, where they could be resolved. */
export const originOf = (r: AuditRecord, resolve: Resolve = unresolved): { ip?: string; agent?: string } => {
  const known = r.origin === undefined ? undefined : resolve(r.origin)
  if (!known) return {}
  try {
    const parsed: unknown = JSON.parse(known.value)
    const { ip, agent } = (parsed ?? {}) as { ip?: unknown; agent?: unknown }
    return {
      ...(typeof ip === 'string' ? { ip: oneLine(ip, 60) } : {}),
      ...(typeof agent === 'string' ? { agent: oneLine(agent, 250) } : {}),
    }
  } catch {
    return {}
  }
}

/** Refusals are two steps graver than what was done, failures one. */
export const severityOf = (r: AuditRecord): number => {
  const base = entryOf(r.action)?.severity ?? 5
  const usual = r.outcome === 'refused' && !entryOf(r.action)?.refused ? 2 : r.outcome === 'failed' ? 1 : 0
  return Math.min(10, base + usual)
}

const header = (text: string, max = 200) => oneLine(text, max).replace(/[\\|]/g, '\\$&')
// Nothing is left that breaks a line (`oneLine`), so that `\n` and `\r` need no escape of their own.
const extension = (text: string, max = 1000) => oneLine(text, max).replace(/[\\=]/g, '\\$&')

const isIpv4 = (ip: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(ip)
const isIpv6 = (ip: string) => ip.includes(':') && /^[0-9a-f:.]+$/i.test(ip)

const details = (r: AuditRecord, resolve: Resolve): string | undefined =>
  r.detail &&
  JSON.stringify(
    Object.fromEntries(
      Object.entries(r.detail).map(([k, v]) => [k, typeof v === 'string' ? fieldText(v, resolve) : v]),
    ),
  )

/**
 * One entry in ArcSight's Common Event Format, version 0: always exactly one line without a line break, with `\`, `|` and `=` escaped where they count. The signature
 * id is the action. `cn1` is the entry's place in the log, `externalId` its own number.
 */
export const toCef = (r: AuditRecord, context: ExportContext): string => {
  const resolve = context.resolve ?? unresolved
  const { ip, agent } = originOf(r, resolve)
  const full = (ref: string | undefined) => (ref === undefined ? undefined : (resolve(ref)?.value ?? ref))
  const fields: [string, string | undefined][] = [
    ['rt', String(r.at)],
    ['externalId', String(r.id)],
    ['cat', entryOf(r.action)?.class ?? 'unknown'],
    ['act', r.action],
    ['outcome', r.outcome],
    ['reason', full(r.reason)],
    [r.actor.kind === 'user' ? 'suser' : 'suid', full(r.actor.ref)],
    ['sproc', r.actor.kind === 'service' ? full(r.actor.ref) : undefined],
    ['spriv', r.actor.kind],
    ['deviceExternalId', full(r.actor.device)],
    ['src', ip !== undefined && isIpv4(ip) ? ip : undefined],
    ['c6a2Label', ip !== undefined && isIpv6(ip) ? 'Source IPv6 Address' : undefined],
    ['c6a2', ip !== undefined && isIpv6(ip) ? ip : undefined],
    ['requestClientApplication', agent],
    ['dvchost', context.site],
    ['cn1Label', 'Index'],
    ['cn1', String(r.idx)],
    ['cs1Label', 'ObjectKind'],
    ['cs1', r.object.kind],
    ['cs2Label', 'Object'],
    ['cs2', full(r.object.ref)],
    ['cs3Label', r.patient && 'Patient'],
    ['cs3', full(r.patient)],
    ['cs4Label', r.room && 'Room'],
    ['cs4', full(r.room)],
    ['cs5Label', r.detail && 'Detail'],
    ['cs5', details(r, resolve)],
    ['msg', sentenceOf(r, resolve)],
  ]
  const head = [
    'CEF:0',
    'Wardroom',
    'Wardroom',
    header(context.version, 30),
    header(r.action, 60),
    header(entryOf(r.action)?.title ?? r.action, 120),
    String(severityOf(r)),
  ]
  const tail = fields.flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`${key}=${extension(value)}`],
  )
  return `${head.join('|')}|${tail.join(' ')}`
}
