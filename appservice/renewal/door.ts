import express, { type Request, type Response, type Router } from 'express'
import type { PersonId, RoomId } from '../../core/domain/ids.ts'
import { errorFacts } from '../../core/error-facts.ts'
import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import { renewalLifeMs } from '../../core/store/links/keeper.ts'
import {
  type Ghost,
  noteNewDevice,
  type RenewalRun,
  renewalByBearer,
  saveRenewal,
} from '../../core/store/links/renewals.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import {
  forMembers,
  isObject,
  type Json,
  ownBackup,
  ownSignatures,
  syncFilter,
  syncForRoom,
} from '../http/proxy/matrix-bodies.ts'
import { type Matched, matchRoute, type Route, routes } from '../http/proxy/matrix-routes.ts'

export type DoorDeps = { store: StoreDeps; homeserver: Homeserver; log: Log }

const kb = 1024
const dehydrated = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'

/** Of what the patient page may call, whatever concerns keys and nothing that concerns a room; and, here alone, putting the dehydrated device. */
const keyCalls: readonly Route[] = [
  ...routes.filter(
    r =>
      !r.path.includes('/rooms/') &&
      !r.path.includes('/media/') &&
      !r.path.includes('{session}') &&
      !['to-device', 'keys-claim', 'draft'].includes(r.handling),
  ),
  { method: 'PUT', path: dehydrated, handling: 'pass', limit: 256 * kb },
]

const changed = ({ route }: Matched, body: Json, run: Ghost): Json => {
  if (route.handling === 'keys-query') return forMembers(body, 'device_keys', new Set([run.ghost]))
  if (route.handling === 'signatures') return ownSignatures(body, run.ghost)
  if (route.handling === 'backup-keys') return ownBackup(body, run.roomId)
  return body
}

const refuse = (res: Response, status: number, errcode: string) =>
  res.status(status).json({ errcode, error: 'refused' })

const call = async (deps: DoorDeps, run: Ghost & RenewalRun, req: Request, res: Response): Promise<void> => {
  const target = new URL(req.url, 'http://door')
  // Our own client names them; who it is, the bearer says.
  for (const name of ['user_id', 'device_id', 'org.matrix.msc3202.device_id']) target.searchParams.delete(name)
  const scope = { userId: run.ghost, roomId: run.roomId as RoomId }
  const matched = matchRoute(req.method, target.pathname + target.search, scope, keyCalls)
  if ('refused' in matched) return void refuse(res, 403, 'M_FORBIDDEN')
  const { route, query } = matched
  if (route.handling === 'filter') return void res.json({ filter_id: 'renewal' })
  if (route.handling === 'sync') {
    query.set('filter', syncFilter(null, null))
    query.set('set_presence', 'offline')
  }
  if (route.method === 'PUT' && route.path === dehydrated)
    await noteNewDevice(deps.store.db, run.personId, String(req.body?.device_id))
  const url = new URL(deps.homeserver.url + matched.path)
  url.search = query.toString()
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const body =
    isObject(req.body) && route.method !== 'GET' ? JSON.stringify(changed(matched, req.body, run)) : undefined
  const answer = await deps.homeserver.fetchAs({ userId: run.ghost, deviceId: run.deviceId })(url, {
    method: route.method,
    signal: AbortSignal.any([gone.signal, AbortSignal.timeout(60_000)]),
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  })
  const json: unknown = await answer.json()
  const shown = route.handling === 'sync' && answer.ok && isObject(json) ? syncForRoom(json, null) : json
  res.status(answer.status).json(shown)
}

/**
 * The only way of a renewal's process to the homeserver (docs/key-flow.md): `/:person/_matrix/…`, the calls above as the ghost with the renewal's own
 * device, and `/:person/state`, where it keeps that device's keys, encrypted under K. The bearer is one attempt's and lives three minutes. No room's event
 * passes here: the process has keys and no messages, as the bridge has messages and no keys.
 */
export const renewalDoor = (deps: DoorDeps): Router => {
  const { store } = deps
  const router = express.Router({ caseSensitive: true })
  type Passed = { run: Ghost & RenewalRun; bearer: string }
  const passed = (res: Response) => res.locals as Passed

  router.use('/:person', async (req, res, next) => {
    const bearer = /^Bearer ([\w-]{20,100})$/.exec(req.headers.authorization ?? '')?.[1] ?? ''
    const person = String(req.params.person) as PersonId
    const run = bearer && (await renewalByBearer(store.db, person, bearer, store.clock.now(), renewalLifeMs))
    if (!run) return void refuse(res, 401, 'M_UNKNOWN_TOKEN')
    Object.assign(res.locals, { run, bearer } satisfies Passed)
    next()
  })
  router.get('/:person/state', (_req, res) => {
    const { saved } = passed(res).run
    if (saved) res.type('bin').send(saved)
    else res.status(404).end()
  })
  router.put(
    '/:person/state',
    express.raw({ type: 'application/octet-stream', limit: 16 * kb * kb }),
    async (req, res) => {
      const { run, bearer } = passed(res)
      if (!Buffer.isBuffer(req.body)) return void refuse(res, 400, 'M_BAD_JSON')
      if (await saveRenewal(store.db, run.personId, bearer, req.body)) res.json({})
      else refuse(res, 401, 'M_UNKNOWN_TOKEN')
    },
  )
  router.use('/:person', express.json({ limit: 4096 * kb, strict: true, type: () => true }), async (req, res) => {
    const { run } = passed(res)
    try {
      await call(deps, run, req, res)
    } catch (err) {
      if (res.destroyed) return
      deps.log.warn({ err: errorFacts(err), person: run.personId }, 'a renewal’s call was not answered')
      refuse(res, 502, 'M_UNKNOWN')
    }
  })
  return router
}
