import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { TestCertificate } from '../certificates.ts'
import { readFrames } from './frames.ts'

/** What a syslog receiver does with its next connections: reads to the end, breaks off after some octets, or never closes its side. */
export type SyslogBehaviour = 'good' | { breakAfter: number } | 'never closes'

export type SyslogReceiver = {
  port: number
  /** Every whole message in the order of its arrival, repeated ones repeated. */
  messages(): string[]
  connections(): number
  behave(next: (connection: number) => SyslogBehaviour): void
  stop(): Promise<void>
}

/** A syslog receiver over TLS with octet counting (RFC 5425). `clientCa`: only senders with a certificate of that authority. */
export const syslogReceiver = async (
  certificate: TestCertificate,
  { clientCa, port = 0 }: { clientCa?: string; port?: number } = {},
): Promise<SyslogReceiver> => {
  const messages: string[] = []
  const open = new Set<Socket>()
  let connections = 0
  let behave: (connection: number) => SyslogBehaviour = () => 'good'
  const wanted = clientCa ? { requestCert: true, rejectUnauthorized: true, ca: clientCa } : {}
  const server = createServer({ ...certificate, ...wanted, allowHalfOpen: true }, socket => {
    const behaviour = behave(connections++)
    let rest = Buffer.alloc(0)
    let read = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const room = typeof behaviour === 'object' ? Math.max(0, behaviour.breakAfter - read) : chunk.length
      read += chunk.length
      const found = readFrames(Buffer.concat([rest, chunk.subarray(0, room)]))
      rest = Buffer.from(found.rest)
      messages.push(...found.messages.map(m => m.toString('utf8')))
      if (room < chunk.length) socket.destroy()
    })
    socket.on('end', () => {
      // Node drops its close_notify when session tickets are still being written.
      if (behaviour !== 'never closes') setImmediate(() => setImmediate(() => socket.end()))
    })
  })
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(done => server.listen(port, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    messages: () => [...messages],
    connections: () => connections,
    behave: next => {
      behave = next
    },
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}
