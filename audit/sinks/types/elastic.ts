import { fhirId } from '../../../core/domain/audit/formats/fhir.ts'
import { asCode } from '../codes.ts'
import { asciiJson, exported } from '../formats/json.ts'
import { bearer, byStatus, type HttpAnswer, httpOptions, httpReceiver } from '../http-receiver.ts'
import type { Delivery, Entry, RefusedItem, SinkType } from '../sink.ts'
import { webTarget } from '../targets.ts'

type Item = { create?: { status?: number; error?: { type?: string } } }

/** 409 is an earlier try's document. 429 and 5xx of one item are for now only: from the first such item on, all is sent again. */
const outcome = (answer: HttpAnswer, entries: readonly Entry[]): Delivery => {
  const { items } = (answer.json ?? {}) as { items?: Item[] }
  if (answer.status !== 200) return byStatus(answer)
  if (!Array.isArray(items) || items.length !== entries.length) return { kind: 'wait', code: 'bad-answer' }
  const refused: RefusedItem[] = []
  for (const [i, item] of items.entries()) {
    const status = item?.create?.status ?? 500
    const idx = entries[i]?.record.idx ?? 0
    const code = asCode(item?.create?.error?.type ?? `http-${status}`)
    if ((status >= 200 && status < 300) || status === 409) continue
    if (status !== 400) return { kind: 'partly', from: idx, refused, code, after: answer.after }
    refused.push({ idx, code })
  }
  return { kind: 'taken', refused, answer: refused[0] ? `refused, ${refused[0].code}` : 'HTTP 200, no errors' }
}

/**
 * Elasticsearch's and OpenSearch's bulk interface, as `create` with stable ids: a repeat makes no second document, also in data streams.
 */
export const elastic: SinkType = {
  name: 'elastic',
  about: 'Elasticsearch or OpenSearch, by the bulk interface; a repeat makes no second document.',
  example: 'search elastic https://elastic.clinic.example:9200 index wardroom-audit token SECRET',
  options: {
    index: { about: 'the index or data stream.', required: true, pattern: /^[a-z0-9][a-z0-9._-]{0,200}$/ },
    token: { about: 'an API key, sent as Authorization: ApiKey.', secret: true, pattern: /^[!-~]{1,500}$/ },
    user: { about: 'a user name, for Basic authentication.', pattern: /^[!-9;-~]{1,100}$/ },
    password: { about: 'the password of that user.', secret: true, pattern: /^[!-~]{1,500}$/ },
    ...httpOptions,
  },
  readTarget: webTarget,
  open: (config, env) => {
    const receiver = httpReceiver(config, env)
    const { index, token, user, password } = config.options
    const basic = user === undefined ? undefined : Buffer.from(`${user}:${password ?? ''}`).toString('base64')
    const headers = {
      'content-type': 'application/x-ndjson',
      ...(basic ? bearer('Basic', basic) : bearer('ApiKey', token)),
    }
    return {
      send: async entries => {
        const lines = entries.flatMap(e => {
          const { idx, at } = e.record
          const create = { _index: index, _id: fhirId(env.context.site, idx) }
          return [asciiJson({ create }), asciiJson({ '@timestamp': new Date(at).toISOString(), ...exported(e) })]
        })
        return outcome(await receiver.post('/_bulk', `${lines.join('\n')}\n`, headers), entries)
      },
      close: receiver.close,
    }
  },
}
