import { toFhir } from '../../../core/domain/audit/formats/fhir.ts'
import { asciiJson } from '../formats/json.ts'
import { bearer, byStatus, type HttpAnswer, httpOptions, httpReceiver } from '../http-receiver.ts'
import { contextOf, type Delivery, type Entry, type RefusedItem, type SinkType } from '../sink.ts'
import { webTarget } from '../targets.ts'

type BundleAnswer = { resourceType?: string; entry?: { response?: { status?: string } }[] }

/** Each entry of a batch answers for itself; a transaction is taken or refused as a whole. */
const outcome = (answer: HttpAnswer, entries: readonly Entry[]): Delivery => {
  if (answer.status !== 200) return byStatus(answer)
  const bundle = (answer.json ?? {}) as BundleAnswer
  if (bundle.resourceType !== 'Bundle' || bundle.entry?.length !== entries.length)
    return { kind: 'wait', code: 'bad-answer' }
  const refused: RefusedItem[] = []
  for (const [i, item] of bundle.entry.entries()) {
    const status = Number(/^\d{3}/.exec(item?.response?.status ?? '')?.[0] ?? 500)
    const idx = entries[i]?.record.idx ?? 0
    if (status >= 200 && status < 300) continue
    if (status !== 400 && status !== 422) return { kind: 'partly', from: idx, refused, code: `fhir-${status}` }
    refused.push({ idx, code: `fhir-${status}` })
  }
  return { kind: 'taken', refused, answer: refused[0] ? `refused, ${refused[0].code}` : 'HTTP 200, stored' }
}

/** AuditEvents (FHIR R4, IHE BALP) in bundles, each a PUT under a stable id: a repeat writes the same resource again. */
export const fhir: SinkType = {
  name: 'fhir',
  about: 'AuditEvent resources (FHIR R4) to a FHIR server; a repeat writes the same resource again.',
  example: 'records fhir https://fhir.clinic.example/r4 token SECRET',
  options: {
    token: { about: 'sent as Authorization: Bearer.', secret: true, pattern: /^[!-~]{1,2000}$/ },
    bundle: { about: 'batch (the default) or transaction.', oneOf: ['batch', 'transaction'] },
    ...httpOptions,
  },
  readTarget: webTarget,
  open: (config, env) => {
    const receiver = httpReceiver(config, env)
    const { token, bundle = 'batch' } = config.options
    const headers = {
      'content-type': 'application/fhir+json',
      accept: 'application/fhir+json',
      ...bearer('Bearer', token),
    }
    return {
      send: async entries => {
        const entry = entries.map(e => {
          const resource = toFhir(e.record, contextOf(e, env))
          const url = `AuditEvent/${resource.id}`
          return { fullUrl: `${config.target}/${url}`, resource, request: { method: 'PUT', url } }
        })
        const body = asciiJson({ resourceType: 'Bundle', type: bundle, entry })
        return outcome(await receiver.post('', body, headers), entries)
      },
      close: receiver.close,
    }
  },
}
