import express from 'express'
import { listen } from '../../../core/http/listen.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'

/** A homeserver that agrees to everything and does nothing: for what our own servers do before and after they ask one. */
export const deafHomeserver = async (): Promise<{ homeserver: Homeserver; stop(): Promise<void> }> => {
  const app = express()
  app.get('/_matrix/client/v1/media/download/:server/:media', (_req, res) => void res.type('bin').send('file'))
  app.use((req, res) => {
    if (req.path.endsWith('/members')) {
      const user = String(req.query.user_id)
      return void res.json({ chunk: [{ state_key: user, content: { membership: 'join' } }] })
    }
    res.json({ event_id: '$sent', origin_server_ts: 1, content_uri: 'mxc://clinic.example/uploaded', chunk: [] })
  })
  const server = await listen(app)
  return { homeserver: createHomeserver({ url: server.url, asToken: secret('as') }), stop: server.stop }
}
