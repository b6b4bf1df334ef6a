import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import type { PatientId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { recordConsent } from '../../../core/store/consents.ts'
import { addPatient, patientById, personsByPhone, phoneLookup } from '../../../core/store/patients.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import type { TryIt } from '../../../web/contract.ts'

export type TryItConfig = {
  store: StoreDeps
  homeserverUrl: string
  /** The demo clinician. */
  account: { userId: string; password: string }
  /** The built page: `dist/tryit`. */
  pageFolder: string
  /** The clinician's secret storage key (32 bytes, base64), so that each load of the page is a signed device that reads what came before. */
  recoveryKey: string
}

/** A made-up person with a number that nobody has. */
export const demoPatient = { name: 'Maria Ortiz', phone: '+12025550142', dob: '1948-03-27' } as const

const types: Record<string, string> = {
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
}

/**
 * The try-it page: a clinician's client beside the handset, for somebody who has nothing installed. Only with the embedded homeserver and its demo
 * accounts: it hands out a login to whoever opens it on this machine.
 */
export const tryItRouter = (config: TryItConfig): express.Router => {
  const router = express.Router()
  const page = readFileSync(join(config.pageFolder, 'index.html'), 'utf8')
  const assets = join(config.pageFolder, 'assets')
  const names = new Set(readdirSync(assets))
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${new URL(config.homeserverUrl).origin}`,
    "img-src 'self' blob:",
    'media-src blob:',
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  router.use('/try', (_req, res, next) => {
    res.set({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    next()
  })
  router.get('/try', (_req, res) => void res.set('cache-control', 'no-store').type('html').send(page))
  router.get('/try/assets/:name', (req, res, next) => {
    const name = req.params.name
    if (!names.has(name) || /\.(br|gz)$/.test(name)) return next()
    const packed = names.has(`${name}.gz`) && req.acceptsEncodings('gzip') === 'gzip'
    res.set({
      'content-type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
    })
    res.sendFile(packed ? `${name}.gz` : name, { root: assets, headers: {}, cacheControl: false })
  })

  router.post('/api/tryit', async (req, res) => {
    if (req.get('sec-fetch-site') !== 'same-origin') return void res.status(403).end()
    const room = await demoRoom(config)
    if (!room) return void res.status(202).json({ state: 'preparing' } satisfies TryIt)
    const login = await logIn(config)
    await endEarlier(config, login)
    res.json({
      state: 'ready',
      homeserverUrl: config.homeserverUrl,
      userId: login.user_id,
      accessToken: login.access_token,
      deviceId: login.device_id,
      recoveryKey: config.recoveryKey,
      roomId: room,
      patient: { ...demoPatient, handset: `/handset/${encodeURIComponent(demoPatient.phone)}` },
    } satisfies TryIt)
  })
  return router
}

/** The demo patient's care room; enrols the patient at the first call. Undefined while it is being made. */
const demoRoom = async ({ store, account }: TryItConfig): Promise<string | undefined> => {
  const known = await transact(store, async tx => {
    const added = await addPatient(tx, { ...demoPatient, lang: 'en', by: account.userId })
    if (!isRefusal(added)) {
      await recordConsent(tx, added.person, 'care', 'verbal', { kind: 'user', id: account.userId })
      return added.id
    }
    const persons = await personsByPhone(tx.sql, phoneLookup(store.seal, demoPatient.phone))
    return persons.find(person => person.kind === 'patient')?.patientId
  })
  const patient = known && (await patientById(store.db, known as PatientId))
  return patient && patient.state === 'open' ? (patient.roomId ?? undefined) : undefined
}

type Login = { user_id: string; access_token: string; device_id: string }

const logIn = async ({ homeserverUrl, account }: TryItConfig): Promise<Login> => {
  const answer = await fetch(`${homeserverUrl}/_matrix/client/v3/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: account.userId },
      password: account.password,
      initial_device_display_name: deviceName,
    }),
  })
  if (!answer.ok) throw new Error(`the demo clinician could not log in: ${answer.status}`)
  return (await answer.json()) as Login
}

const deviceName = 'Try-it page'

/** Every load is a new device with nothing on disk; those of earlier loads are deleted, also after a restart. */
const endEarlier = async ({ homeserverUrl, account }: TryItConfig, login: Login): Promise<void> => {
  const headers = { authorization: `Bearer ${login.access_token}`, 'content-type': 'application/json' }
  const listed = await fetch(`${homeserverUrl}/_matrix/client/v3/devices`, { headers })
  const { devices } = (await listed.json()) as { devices: { device_id: string; display_name?: string }[] }
  const old = devices
    .filter(d => d.display_name === deviceName && d.device_id !== login.device_id)
    .map(d => d.device_id)
  if (old.length === 0) return
  const identifier = { type: 'm.id.user', user: account.userId }
  const auth = { type: 'm.login.password', identifier, password: account.password }
  const body = JSON.stringify({ devices: old, auth })
  const answer = await fetch(`${homeserverUrl}/_matrix/client/v3/delete_devices`, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(`the earlier devices stayed: ${answer.status}`)
}
