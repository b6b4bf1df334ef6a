import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type HttpRequest = { path: string; headers: IncomingHttpHeaders; body: string }
/** An answer; `hang`: takes what came and never answers; `break`: takes it and breaks the connection off. */
export type HttpBehaviour = { status: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'break'

export type HttpReceiverServer = {
  url: string
  requests: HttpRequest[]
  stop(): Promise<void>
}

const bodyOf = async (req: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

/** A real HTTP server whose every answer `answer` decides; `n` counts requests from 0. */
export const httpServer = async (
  answer: (request: HttpRequest, n: number) => HttpBehaviour | Promise<HttpBehaviour>,
): Promise<HttpReceiverServer> => {
  const requests: HttpRequest[] = []
  const open = new Set<Socket>()
  const server = createServer((req, res) => {
    const work = async () => {
      const request = { path: req.url ?? '', headers: req.headers, body: await bodyOf(req) }
      const said = await answer(request, requests.push(request) - 1)
      if (said === 'hang') return
      if (said === 'break') return void req.socket.destroy()
      res.writeHead(said.status, { 'content-type': 'application/json', ...said.headers })
      res.end(said.body === undefined ? '' : JSON.stringify(said.body))
    }
    work().catch(() => req.socket.destroy()) // a sender that was killed in the middle
  })
  server.on('connection', socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}
