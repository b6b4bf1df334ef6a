import { asCode } from '../codes.ts'
import { asciiJson, exported } from '../formats/json.ts'
import { bearer, byStatus, type HttpAnswer, httpOptions, httpReceiver } from '../http-receiver.ts'
import type { Delivery, SinkType } from '../sink.ts'
import { webTarget } from '../targets.ts'

/** Codes of a 400 that are an event's fault: no data, invalid data, event field missing or blank, fields. All others are the token's or the index's set-up. */
const faultOfEvent: ReadonlySet<number> = new Set([5, 6, 12, 13, 15])

const outcome = (answer: HttpAnswer): Delivery => {
  const { code } = (answer.json ?? {}) as { code?: number }
  const known = typeof code === 'number' ? `splunk-${code}` : undefined
  if (answer.status === 200 && code === 0) return { kind: 'taken', answer: 'HTTP 200, code 0' }
  if (answer.status === 400 && typeof code === 'number' && !faultOfEvent.has(code))
    return { kind: 'wait', code: asCode(`splunk-${code}`) }
  const plain = byStatus(answer)
  if (plain.kind === 'taken') return { kind: 'wait', code: known ?? 'bad-answer' }
  return known && plain.kind !== 'partly' ? { ...plain, code: `http-${answer.status}-${known}` } : plain
}

/** Splunk's HTTP Event Collector (`/services/collector/event`). Its 200 means that Splunk has the batch; without indexer acknowledgement. */
export const splunk: SinkType = {
  name: 'splunk',
  about: "Splunk's HTTP Event Collector.",
  example: 'siem splunk https://splunk.clinic.example:8088 token SECRET index audit',
  options: {
    token: { about: "the collector's token.", secret: true, required: true, pattern: /^[!-~]{1,200}$/ },
    index: { about: "the index; left out, the token's.", pattern: /^[a-z0-9_][a-z0-9_-]{0,80}$/ },
    sourcetype: { about: 'wardroom:audit where left out.', pattern: /^[\w:.-]{1,100}$/ },
    ...httpOptions,
  },
  readTarget: webTarget,
  open: (config, env) => {
    const receiver = httpReceiver(config, env)
    const { token, index, sourcetype = 'wardroom:audit' } = config.options
    const headers = { 'content-type': 'application/json', ...bearer('Splunk', token) }
    return {
      send: async entries => {
        const events = entries.map(e =>
          asciiJson({
            time: e.record.at / 1000,
            host: env.context.site,
            source: 'wardroom',
            sourcetype,
            index,
            event: exported(e),
          }),
        )
        return outcome(await receiver.post('/services/collector/event', events.join('\n'), headers))
      },
      close: receiver.close,
    }
  },
}
