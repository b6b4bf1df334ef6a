import { connect as connectTcp } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'

/** How the other side closed: as TLS demands, or by ending TCP alone. */
export type Closed = 'notified' | 'cut'

export type TlsTarget = ConnectionOptions & { host: string; port: number }

export type SendAndClose = {
  /** Everything is with the operating system, our own close as well. */
  onSent(): void
  /** Once. `early`: before everything was sent. */
  onClosed(how: Closed, early: boolean): void
  onError(err: Error): void
}

/**
 * Connects by TCP, then TLS, writes, closes its own side, and tells how the other side closes. A close_notify (RFC 8446 §6.1) followed by TCP's orderly end means
 * that it had read to our end: one that closes with something unread resets the connection (Linux and others do, RFC 1122 §4.2.2.13), and a process that is
 * killed sends no close_notify. Node shows the same event for a close_notify and for TCP's end; here TCP's end is kept from TLS. Gives how to drop it all.
 */
export const sendAndClose = ({ host, port, ...options }: TlsTarget, data: Buffer, on: SendAndClose): (() => void) => {
  // Half open, so that the other side's end does not end ours, whose end is still to be written.
  const tcp = connectTcp({ host, port, noDelay: true, allowHalfOpen: true })
  const pipe = new Duplex({
    read: () => void tcp.resume(),
    write: (chunk: Buffer, _encoding, done) => void tcp.write(chunk, done),
    final: done => void tcp.end(() => done()),
    destroy: (err, done) => {
      tcp.destroy()
      done(err)
    },
  })
  const tls = connect({ ...options, socket: pipe })
  let sent = false
  let notified = false
  let over = false
  tcp.on('data', chunk => {
    if (!pipe.push(chunk)) tcp.pause()
  })
  tls.once('secureConnect', () => {
    tls.write(data, err => {
      if (err) return
      sent = true
      tls.end(() => on.onSent())
    })
  })
  tls.once('end', () => {
    notified = true
  })
  tls.resume() // nothing is expected; what comes is not kept
  const fail = (err: Error) => {
    if (over) return
    over = true
    on.onError(err)
  }
  tls.on('error', fail)
  tcp.on('error', fail)
  const judge = () => {
    if (over) return
    over = true
    on.onClosed(notified ? 'notified' : 'cut', !sent)
  }
  // What came just before TCP's end still passes through TLS, which takes some turns of the event loop.
  const after = (turns: number): void => void setImmediate(() => (turns > 0 ? after(turns - 1) : judge()))
  const ended = () => after(10)
  tcp.once('end', ended)
  tcp.once('close', ended)
  return () => {
    over = true
    tls.destroy()
    tcp.destroy()
  }
}
