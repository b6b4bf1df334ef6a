import { toCef } from '../../../core/domain/audit/formats/cef.ts'
import { contextOf, type Entry, type SinkEnv } from '../sink.ts'
import { asciiJson, exported } from './json.ts'

export type SyslogOptions = {
  format: 'json' | 'cef'
  /** The longest message, octets. RFC 5425: every receiver takes 2048, most 8192 and more. */
  max: number
}

const facility = 13 // log audit
const severity = { done: 6, refused: 4, failed: 3 } as const

/** A header field of RFC 5424: printable ASCII without spaces, at most `max`, `-` when nothing is left. */
const headerField = (text: string, max: number): string => text.replace(/[^!-~]/g, '').slice(0, max) || '-'

/** From everything to the least that still says who did what, for a message that is too long. */
const shorter: readonly ((e: Entry) => Entry)[] = [
  e => e,
  e => ({ ...e, record: { ...e.record, detail: { shortened: true } } }),
  e => ({ subjects: new Map(), record: { ...e.record, reason: undefined, detail: { shortened: true } } }),
]

const payload = (e: Entry, o: SyslogOptions, env: SinkEnv): string =>
  o.format === 'json' ? asciiJson(exported(e)) : toCef(e.record, contextOf(e, env))

/**
 * One message of RFC 5424: facility 13 (log audit), MSGID the action, `meta sequenceId` the entry's place in the log from 1 on (from 1 again after 2147483647).
 * What is longer than `max` octets loses its details, says so (`shortened`), and is whole in every other export; in the worst case it is cut.
 */
export const syslogMessage = (entry: Entry, o: SyslogOptions, env: SinkEnv): Buffer => {
  const { idx, at, outcome, action } = entry.record
  const head = [
    `<${facility * 8 + (severity[outcome] ?? 3)}>1`,
    new Date(at).toISOString(),
    headerField(env.context.site, 255),
    'wardroom',
    '-',
    headerField(action, 32),
    `[origin software="Wardroom" swVersion="${headerField(env.context.version, 32).replace(/["\\\]]/g, '')}"]` +
      (idx < 0 ? '' : `[meta sequenceId="${(idx % 2_147_483_647) + 1}"]`),
  ].join(' ')
  let message = Buffer.alloc(0)
  for (const shorten of shorter) {
    message = Buffer.from(`${head} ${payload(shorten(entry), o, env).replace(/[\r\n\0]/g, ' ')}`)
    if (message.length <= o.max) return message
  }
  return Buffer.from(
    message
      .subarray(0, o.max)
      .toString('utf8')
      .replace(/\ufffd+$/, ''),
  )
}

/** RFC 5425's frame: the message's length in octets, a space, the message. */
export const framed = (message: Buffer): Buffer => Buffer.concat([Buffer.from(`${message.length} `), message])
