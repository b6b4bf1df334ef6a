import { toCef } from '../../../core/domain/audit/formats/cef.ts'
import { toOcsf } from '../../../core/domain/audit/formats/ocsf.ts'
import { asciiJson, exported } from '../formats/json.ts'
import { bearer, byStatus, httpOptions, httpReceiver } from '../http-receiver.ts'
import { contextOf, type SinkType } from '../sink.ts'
import { webTarget } from '../targets.ts'

/** Batches as JSON to any HTTP receiver: an array, or one line an entry. Any 2xx answer means that it has the whole batch. */
export const http: SinkType = {
  name: 'http',
  about: 'JSON batches by HTTP POST to any receiver; a 2xx answer takes a batch.',
  example: 'collector http https://collector.clinic.example/audit token SECRET',
  options: {
    token: { about: 'sent as Authorization: Bearer.', secret: true, pattern: /^[!-~]{1,2000}$/ },
    path: {
      about: 'a part of the address that is secret, put behind it.',
      secret: true,
      pattern: /^[\w~%-][\w.~%/-]{0,500}$/,
    },
    body: { about: 'array (a JSON array, the default) or lines (NDJSON).', oneOf: ['array', 'lines'] },
    format: {
      about: 'json (the default), ocsf (Open Cybersecurity Schema Framework) or cef (in a field of that name).',
      oneOf: ['json', 'ocsf', 'cef'],
    },
    ...httpOptions,
  },
  readTarget: webTarget,
  open: (config, env) => {
    const receiver = httpReceiver(config, env)
    const { token, path, body = 'array', format = 'json' } = config.options
    const lines = body === 'lines'
    const headers = {
      'content-type': lines ? 'application/x-ndjson' : 'application/json',
      ...bearer('Bearer', token),
    }
    return {
      send: async entries => {
        const items = entries.map(e => {
          const { idx, id } = e.record
          if (format === 'ocsf') return asciiJson(toOcsf(e.record, contextOf(e, env)))
          return asciiJson(format === 'cef' ? { idx, id, cef: toCef(e.record, contextOf(e, env)) } : exported(e))
        })
        return byStatus(
          await receiver.post(
            path ? `/${path}` : '',
            lines ? `${items.join('\n')}\n` : `[${items.join(',')}]`,
            headers,
          ),
        )
      },
      close: receiver.close,
    }
  },
}
