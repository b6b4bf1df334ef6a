import { isIP } from 'node:net'
import { framed, type SyslogOptions, syslogMessage } from '../formats/syslog.ts'
import type { Delivery, SinkType } from '../sink.ts'
import { tlsTarget } from '../targets.ts'
import { readTls, tlsOptions } from '../tls.ts'
import { sendAndClose, type TlsTarget } from '../tls-close.ts'

type Confirm = 'notify' | 'close' | 'none'

const timeout = 30_000

const broken = (code: string) => Object.assign(new Error(`the syslog receiver: ${code}`), { code })

/**
 * Writes the frames over a connection of their own and closes it. Syslog has no acknowledgement: that the receiver closes too, once it has read to our end
 * (RFC 5425 §4.4), is the only sign that it read everything. With `notify` it must close as TLS does, because a killed receiver's TCP ends as well; with `close`
 * the end of TCP is enough; with `none` nothing is waited for. Sessions are not resumed, because rsyslog with OpenSSL refuses that when it asks for certificates.
 * Rejects when the receiver closes earlier, breaks off or does not answer.
 */
const deliverFrames = (frames: Buffer, receiver: TlsTarget, confirm: Confirm, ended: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    let sent = false
    const giveUp = () => settle(broken('ended'))
    const settle = (err?: Error) => {
      clearTimeout(late)
      ended.removeEventListener('abort', giveUp)
      drop()
      if (err) reject(err)
      else resolve()
    }
    const late = setTimeout(() => settle(broken(sent ? 'not-confirmed' : 'etimedout')), timeout)
    ended.addEventListener('abort', giveUp)
    const drop = sendAndClose(receiver, frames, {
      onError: settle,
      onSent: () => {
        sent = true
        if (confirm === 'none') settle()
      },
      onClosed: (how, early) => {
        if (early) settle(broken('closed-early'))
        else settle(how === 'notified' || confirm === 'close' ? undefined : broken('cut-off'))
      },
    })
  })

/** Syslog (RFC 5424) over TLS with octet counting (RFC 5425), JSON or CEF. */
export const syslog: SinkType = {
  name: 'syslog',
  about: 'Syslog over TLS (RFC 5424 and 5425), as JSON or CEF.',
  example: 'siem syslog siem.clinic.example:6514 format cef ca siem-ca.pem',
  options: {
    format: { about: 'json (the default) or cef.', oneOf: ['json', 'cef'] },
    max: {
      about: 'the longest message in octets, 2048 to 65536; 8192 where left out.',
      pattern: /^(204[89]|20[5-9]\d|2[1-9]\d\d|[3-9]\d{3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-6])$/,
    },
    confirm: {
      about:
        'what shows that the receiver read everything: notify (the default: it closes as TLS demands), close (it closes at all: rsyslog with gtls) or none (for one that never closes).',
      oneOf: ['notify', 'close', 'none'],
    },
    ...tlsOptions,
  },
  readTarget: tlsTarget,
  gatherMs: 1000,
  open: ({ target, options }, env) => {
    const colon = target.lastIndexOf(':')
    const host = target.slice(0, colon).replace(/^\[|\]$/g, '')
    const receiver: TlsTarget = {
      host,
      port: Number(target.slice(colon + 1)),
      servername: isIP(host) ? undefined : host,
      ...readTls(options, env),
    }
    const layout: SyslogOptions = {
      format: options.format === 'cef' ? 'cef' : 'json',
      max: Number(options.max ?? 8192),
    }
    const closing = new AbortController()
    const confirm = (options.confirm ?? 'notify') as Confirm
    return {
      send: async (entries): Promise<Delivery> => {
        const frames = Buffer.concat(entries.map(e => framed(syslogMessage(e, layout, env))))
        await deliverFrames(frames, receiver, confirm, closing.signal)
        return { kind: 'taken', answer: confirm === 'none' ? 'sent' : 'it read to the end' }
      },
      close: async () => closing.abort(),
    }
  },
}
