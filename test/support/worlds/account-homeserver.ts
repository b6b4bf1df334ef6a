import express, { type Response } from 'express'
import { listen } from '../../../core/http/listen.ts'

/** What a homeserver has of one account that could decrypt. */
export type Account = {
  waiting: string | null
  backups: string[]
  data: Map<string, unknown>
  devices: Set<string>
  deactivated: boolean
}

export type AccountHomeserver = {
  url: string
  accounts: Map<string, Account>
  /** As an enrolment leaves it, with a device that somebody forgot. */
  make(user: string): Account
  calls(): number
  /** The `n`th call from now breaks off: done for an even `n`, not done for an odd one, never answered. */
  breakAt(n: number): void
  /** Resolves with the `n`th call from now, before that is answered. */
  call(n: number): Promise<void>
  stop(): Promise<void>
}

/** The client-server API of ghosts' accounts over a map in memory: a caller may be killed, it stays. */
export const accountHomeserver = async (): Promise<AccountHomeserver> => {
  const accounts = new Map<string, Account>()
  const waiting: { left: number; done(): void }[] = []
  let calls = 0
  let breaks = { left: -1, done: false }
  const none = (res: Response) => void res.status(404).json({ errcode: 'M_NOT_FOUND', error: 'nothing' })
  const app = express()
  app.use(express.json(), (_req, res, next) => {
    calls++
    for (const w of waiting.splice(0)) {
      if (--w.left <= 0) w.done()
      else waiting.push(w)
    }
    if (breaks.left > 0 && --breaks.left === 0) {
      if (!breaks.done) return void res.destroy()
      res.json = () => res.destroy()
    }
    next()
  })
  const of = (req: { query: Record<string, unknown> }): Account => {
    const account = accounts.get(String(req.query.user_id))
    if (!account) throw new Error('no such account')
    return account
  }
  const dehydrated = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'
  app.get(dehydrated, (req, res) => {
    const { waiting: device } = of(req)
    if (device) res.json({ device_id: device })
    else none(res)
  })
  app.delete(dehydrated, (req, res) => {
    of(req).waiting = null
    res.json({})
  })
  app.get('/_matrix/client/v3/room_keys/version', (req, res) => {
    const version = of(req).backups.at(-1)
    if (version) res.json({ version })
    else none(res)
  })
  app.delete('/_matrix/client/v3/room_keys/version/:version', (req, res) => {
    const account = of(req)
    account.backups = account.backups.filter(v => v !== req.params.version)
    res.json({})
  })
  const data = '/_matrix/client/v3/user/:user/account_data/:type'
  app.get(data, (req, res) => {
    const found = of(req).data.get(req.params.type)
    if (found) res.json(found)
    else none(res)
  })
  app.put(data, (req, res) => {
    of(req).data.set(req.params.type, req.body)
    res.json({})
  })
  app.get('/_matrix/client/v3/devices', (req, res) => {
    res.json({ devices: [...of(req).devices].map(device_id => ({ device_id })) })
  })
  app.delete('/_matrix/client/v3/devices/:device', (req, res) => {
    of(req).devices.delete(req.params.device)
    res.json({})
  })
  app.post('/_matrix/client/v3/account/deactivate', (req, res) => {
    of(req).deactivated = true
    res.json({})
  })
  app.use((_req, res) => none(res))
  const server = await listen(app)
  return {
    url: server.url,
    accounts,
    make: user => {
      const account: Account = {
        waiting: 'WAITING',
        backups: ['1', '2'],
        data: new Map<string, unknown>([
          ['m.secret_storage.default_key', { key: 'K1' }],
          ['m.secret_storage.key.K1', { iv: 'x', mac: 'y' }],
          ['m.megolm_backup.v1', { encrypted: { K1: { ciphertext: 'secret' } } }],
          ['io.wardroom.draft', { ciphertext: 'secret' }],
        ]),
        devices: new Set(['FORGOTTEN']),
        deactivated: false,
      }
      accounts.set(user, account)
      return account
    },
    calls: () => calls,
    breakAt: n => {
      breaks = { left: n, done: n % 2 === 0 }
    },
    call: n => new Promise<void>(done => waiting.push({ left: n, done })),
    stop: server.stop,
  }
}
