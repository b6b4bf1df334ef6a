import type { CatalogueEntry } from '../catalogue/entry.ts'
import { entryOf } from '../catalogue/index.ts'
import type { AuditRecord } from '../record.ts'
import { actorText, fieldText, objectText, oneLine, sentenceOf, unresolved } from '../sentence.ts'
import { type ExportContext, originOf } from './cef.ts'
import { agentRole, type Code, entityType, event, objectRole, sourceType } from './codes.ts'

type Concept = { coding: Code[]; text?: string }
type Who = { type?: string; identifier?: { system: string; value: string }; display: string }
export type FhirAgent = {
  type: Concept
  who: Who
  name?: string
  requestor: boolean
  network?: { address: string; type: '2' | '5' }
}
export type FhirEntity = {
  what: Who
  type: Code
  role?: Code
  name?: string
  description?: string
  detail?: { type: string; valueString: string }[]
}
/** A FHIR R4 AuditEvent (http://hl7.org/fhir/R4/auditevent.html), as far as we fill it. */
export type FhirAuditEvent = {
  resourceType: 'AuditEvent'
  id: string
  meta?: { profile: string[] }
  type: Code
  subtype: Code[]
  action: 'C' | 'R' | 'U' | 'D' | 'E'
  recorded: string
  outcome: '0' | '4' | '8'
  outcomeDesc: string
  agent: FhirAgent[]
  source: { site: string; observer: Who; type: Code[] }
  entity: FhirEntity[]
}

const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'

/** An AuditEvent's id: the same for the same entry at every try, and another one for another installation's. FHIR: up to 64 of A–Z a–z 0–9 - . */
export const fhirId = (site: string, idx: number): string => {
  const slug = site.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 44)
  return `${slug || 'wardroom'}.${idx}`
}

/** FHIR strings are never empty, and have no white space but plain spaces. */
const said = (text: string, max = 1000) => oneLine(text, max).replace(/\s/g, ' ').trim() || '-'

const identified = (url: string, kind: string, value: string, resolved: string | undefined): Who => ({
  identifier:
    resolved === undefined
      ? { system: `${url}/audit/${kind}`, value: said(value) }
      : { system: `${url}/${kind}`, value: said(resolved) },
  display: said(resolved ?? (value || kind), 200),
})

const concept = (code: Code): Concept => ({ coding: [code] })

/** Client and server as BALP has them: the client reads what flows towards it, and is the source of what it writes. */
const sides = (entry: CatalogueEntry | undefined): { client: Code; server: Code } => {
  const { action } = entry?.fhir ?? { action: 'E' }
  if (action === 'R') return { client: agentRole.destination, server: agentRole.source }
  if (action === 'D') return { client: agentRole.application, server: agentRole.custodian }
  return { client: agentRole.source, server: agentRole.destination }
}

const agents = (r: AuditRecord, c: ExportContext, entry: CatalogueEntry | undefined): FhirAgent[] => {
  const resolve = c.resolve ?? unresolved
  const { client, server } = sides(entry)
  const { ip, agent } = originOf(r, resolve)
  const person = r.actor.kind === 'user' || r.actor.kind === 'person'
  const who = identified(c.url, r.actor.kind, r.actor.ref, resolve(r.actor.ref)?.value)
  const device = r.actor.device === undefined ? undefined : fieldText(r.actor.device, resolve)
  const browser: Who = {
    display: said(agent ?? (device === undefined ? 'A Matrix client or a browser' : `Device ${device}`), 250),
  }
  return [
    {
      type: concept(client),
      who: person ? browser : who,
      requestor: !person,
      // Where no address is known (a Matrix client speaks to the homeserver, not to us) the server that passed it on is named.
      network: ip === undefined ? { address: c.url, type: '5' } : { address: said(ip, 60), type: '2' },
    },
    { type: concept(server), who: observer(c), requestor: false, network: { address: c.url, type: '5' } },
    ...(person
      ? [
          {
            type: concept(entry?.fhir.action === 'R' ? agentRole.recipient : agentRole.author),
            who,
            name: said(actorText(r, resolve), 200),
            requestor: true,
          },
        ]
      : []),
  ]
}

const observer = (c: ExportContext): Who => ({
  type: 'Device',
  identifier: { system: c.url, value: said(c.site, 200) },
  display: `Wardroom ${said(c.version, 30)}`,
})

const entities = (r: AuditRecord, c: ExportContext): FhirEntity[] => {
  const resolve = c.resolve ?? unresolved
  const isReport = r.object.kind === 'report' || r.object.kind === 'audit'
  const detail = [
    { type: 'index', valueString: String(r.idx) },
    { type: 'event', valueString: String(r.id) },
    ...(r.reason === undefined ? [] : [{ type: 'reason', valueString: said(fieldText(r.reason, resolve)) }]),
    ...(r.room === undefined ? [] : [{ type: 'room', valueString: said(resolve(r.room)?.value ?? r.room) }]),
    ...Object.entries(r.detail ?? {}).map(([type, value]) => ({
      type: said(type, 64),
      valueString: said(fieldText(value, resolve)),
    })),
  ]
  const object: FhirEntity = {
    what: identified(c.url, r.object.kind, r.object.ref, resolve(r.object.ref)?.value),
    type: entityType.system,
    role: isReport ? objectRole.report : r.object.kind === 'job' ? objectRole.job : objectRole.resource,
    name: said(objectText(r, resolve), 200),
    detail,
  }
  if (r.patient === undefined) return [object]
  const patient: FhirEntity = {
    what: { type: 'Patient', ...identified(c.url, 'patient', r.patient, resolve(r.patient)?.value) },
    type: entityType.person,
    role: objectRole.patient,
  }
  return [object, patient]
}

const outcomes = { done: '0', refused: '4', failed: '8' } as const

/**
 * One entry as a FHIR R4 AuditEvent. What was done and has a RESTful equivalent follows IHE BALP 1.1.4's basic profile (`meta.profile`), with a patient the one with a
 * patient; the rest uses DICOM's codes. The action itself is always a subtype in the system `<url>/audit/action`. Unresolved identifiers are commitments.
 */
export const toFhir = (r: AuditRecord, context: ExportContext): FhirAuditEvent => {
  const c = { ...context, url: context.url.replace(/\/+$/, '') }
  const entry = entryOf(r.action)
  const {
    type,
    subtype,
    action,
    balp: profile,
  } = entry?.fhir ?? { type: event.activity, subtype: null, action: 'E' as const, balp: undefined }
  const own: Code = {
    system: `${c.url}/audit/action`,
    code: said(r.action, 100).replace(/\s+/g, '-'),
    display: said(entry?.title ?? r.action, 200),
  }
  const basic =
    profile && r.outcome === 'done' ? `${balp}${r.patient === undefined ? '' : 'Patient'}${profile}` : undefined
  return {
    resourceType: 'AuditEvent',
    id: fhirId(c.site, r.idx),
    ...(basic ? { meta: { profile: [basic] } } : {}),
    type,
    subtype: [...(subtype ? [subtype] : []), own],
    action,
    recorded: new Date(r.at).toISOString(),
    outcome: outcomes[r.outcome] ?? '8',
    outcomeDesc: said(sentenceOf(r, c.resolve)),
    agent: agents(r, c, entry),
    source: { site: said(c.site, 200), observer: observer(c), type: [sourceType] },
    entity: entities(r, c),
  }
}
