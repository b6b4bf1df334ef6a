import { connect as connectTcp } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** A TLS connection that knows how it was closed. */
export type ClosingTls = {
  socket: TLSSocket
  /** The receiver ended the TCP connection: with or without TLS's own close_notify before it. */
  onClosed(listener: (how: 'notified' | 'cut') => void): void
  destroy(): void
}

/**
 * Connects by TCP, then TLS, and tells a close_notify (RFC 8446 §6.1: "I have read to your end and send no more") from a connection that was merely cut, as by a
 * process that was killed. Node gives the same event for both; here TCP's end is kept from TLS, so that TLS ends only by close_notify.
 */
export const closingTls = (options: ConnectionOptions & { host: string; port: number }): ClosingTls => {
  const { host, port, ...rest } = options
  const tcp = connectTcp({ host, port, noDelay: true })
  const pipe = new Duplex({
    read: () => void tcp.resume(),
    write: (chunk: Buffer, _encoding, done) => void tcp.write(chunk, done),
    final: done => void tcp.end(done),
    destroy: (err, done) => {
      tcp.destroy()
      done(err)
    },
  })
  tcp.on('data', chunk => {
    if (!pipe.push(chunk)) tcp.pause()
  })
  const socket = connect({ ...rest, socket: pipe })
  let how: 'notified' | 'cut' | undefined
  let tell: (how: 'notified' | 'cut') => void = () => undefined
  const closed = (now: 'notified' | 'cut') => {
    if (how) return
    how = now
    tell(now)
  }
  tcp.on('error', err => socket.destroy(err))
  socket.once('end', () => closed('notified'))
  // What came just before TCP's end still passes through TLS; it is counted first.
  tcp.once('end', () => setTimeout(() => closed('cut'), 50))
  tcp.once('close', () => setTimeout(() => closed('cut'), 50))
  return {
    socket,
    onClosed: listener => {
      tell = listener
    },
    destroy: () => {
      socket.destroy()
      tcp.destroy()
    },
  }
}
