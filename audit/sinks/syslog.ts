import { isIP } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import { framed, type SyslogOptions, syslogMessage } from './formats/syslog.ts'
import type { Delivery, SinkType } from './sink.ts'
import { tlsTarget } from './targets.ts'
import { readTls, tlsOptions } from './tls.ts'

type Session = { ticket?: Buffer }

const timeout = 30_000

class EarlyClose extends Error {
  readonly code = 'closed-early'
}
class NoClose extends Error {
  readonly code = 'not-confirmed'
}

/**
 * Writes the frames over a connection of their own and closes it. Syslog has no acknowledgement: that the receiver closes too, after it has read to our end
 * (RFC 5425 §4.4), is the only sign that it read everything. Rejects when it closes earlier, breaks off or does not answer.
 */
const deliverFrames = (frames: Buffer, options: ConnectionOptions, session: Session, confirm: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    let flushed = false
    const socket = connect({ ...options, session: session.ticket })
    const settle = (err?: Error) => {
      clearTimeout(late)
      socket.destroy()
      if (err) reject(err)
      else resolve()
    }
    const late = setTimeout(() => settle(new NoClose('the receiver did not answer in time')), timeout)
    socket.on('session', ticket => {
      session.ticket = ticket
    })
    socket.on('error', err => {
      session.ticket = undefined
      settle(err)
    })
    socket.once('secureConnect', () => {
      socket.end(frames, () => {
        flushed = true
        if (!confirm) settle()
      })
    })
    socket.resume() // nothing is expected; what comes is not kept
    const closed = () => settle(flushed ? undefined : new EarlyClose('the receiver closed before everything was sent'))
    socket.once('end', closed)
    socket.once('close', closed)
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
      about: 'no counts entries as sent without waiting for the receiver to close: for one that never closes.',
      oneOf: ['yes', 'no'],
    },
    ...tlsOptions,
  },
  readTarget: tlsTarget,
  gatherMs: 1000,
  open: ({ target, options }, env) => {
    const colon = target.lastIndexOf(':')
    const host = target.slice(0, colon).replace(/^\[|\]$/g, '')
    const connection: ConnectionOptions = {
      host,
      port: Number(target.slice(colon + 1)),
      servername: isIP(host) ? undefined : host,
      ...readTls(options, env),
    }
    const layout: SyslogOptions = {
      format: options.format === 'cef' ? 'cef' : 'json',
      max: Number(options.max ?? 8192),
    }
    const session: Session = {}
    return {
      send: async (entries): Promise<Delivery> => {
        const frames = Buffer.concat(entries.map(e => framed(syslogMessage(e, layout, env))))
        await deliverFrames(frames, connection, session, options.confirm !== 'no')
        return { kind: 'taken', answer: options.confirm === 'no' ? 'sent' : 'read to the end' }
      },
      close: async () => undefined,
    }
  },
}
