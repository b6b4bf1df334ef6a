/** Who asks: the one ghost and room that a session may touch. */
export type Scope = { userId: string; roomId: string }

/** What the proxy does with a call beside passing it on. */
export type Handling =
  | 'pass'
  | 'sync'
  | 'filter'
  | 'messages'
  | 'send'
  | 'receipt'
  | 'upload'
  | 'download'
  | 'keys-query'
  | 'keys-claim'
  | 'to-device'
  | 'signatures'
  | 'backup-keys'
  | 'draft'

export type Route = {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  handling: Handling
  /** Query parameters that pass; all others are dropped. */
  query?: readonly string[]
  /** Largest JSON body in bytes. */
  limit?: number
  /** Still answered while the person has to prove again who they are: nothing of the conversation, and what was typed is kept. */
  beforeReauth?: true
}

const kb = 1024
const dehydrated = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'

/**
 * Every client-server call that the patient page makes and nothing else. The dehydrated device is read, never put: replacing it loses messages. Account
 * data: the page's encrypted draft, and reading what secret storage needs.
 */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/_matrix/client/versions', handling: 'pass', beforeReauth: true },
  { method: 'GET', path: '/_matrix/client/v3/capabilities', handling: 'pass' },
  { method: 'GET', path: '/_matrix/client/v3/pushrules/', handling: 'pass' },
  {
    method: 'GET',
    path: '/_matrix/client/v3/sync',
    handling: 'sync',
    query: ['since', 'timeout', 'full_state', 'org.matrix.msc4222.use_state_after', 'use_state_after'],
  },
  { method: 'POST', path: '/_matrix/client/v3/user/{me}/filter', handling: 'filter', limit: 16 * kb },
  { method: 'POST', path: '/_matrix/client/v3/keys/upload', handling: 'pass', limit: 512 * kb },
  { method: 'POST', path: '/_matrix/client/v3/keys/query', handling: 'keys-query', limit: 64 * kb },
  { method: 'POST', path: '/_matrix/client/v3/keys/claim', handling: 'keys-claim', limit: 64 * kb },
  { method: 'POST', path: '/_matrix/client/v3/keys/signatures/upload', handling: 'signatures', limit: 64 * kb },
  { method: 'GET', path: '/_matrix/client/v3/room_keys/version', handling: 'pass' },
  {
    method: 'GET',
    path: '/_matrix/client/v3/room_keys/keys/{room}/{session}',
    handling: 'pass',
    query: ['version'],
  },
  {
    method: 'PUT',
    path: '/_matrix/client/v3/room_keys/keys',
    handling: 'backup-keys',
    query: ['version'],
    limit: 4096 * kb,
  },
  { method: 'GET', path: dehydrated, handling: 'pass' },
  { method: 'GET', path: `${dehydrated}/{device}/events`, handling: 'pass', query: ['from', 'limit'] },
  {
    method: 'PUT',
    path: '/_matrix/client/v3/sendToDevice/m.room.encrypted/{txn}',
    handling: 'to-device',
    limit: 1024 * kb,
  },
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/{room}/send/m.room.encrypted/{txn}',
    handling: 'send',
    limit: 96 * kb,
  },
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/{room}/receipt/m.read/{event}',
    handling: 'receipt',
    limit: 4 * kb,
  },
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/{room}/messages',
    handling: 'messages',
    query: ['from', 'to', 'dir', 'limit'],
  },
  { method: 'GET', path: '/_matrix/client/v3/user/{me}/account_data/{secret}', handling: 'pass' },
  {
    method: 'GET',
    path: '/_matrix/client/v3/user/{me}/account_data/io.wardroom.draft',
    handling: 'pass',
    beforeReauth: true,
  },
  {
    method: 'PUT',
    path: '/_matrix/client/v3/user/{me}/account_data/io.wardroom.draft',
    handling: 'draft',
    limit: 64 * kb,
    beforeReauth: true,
  },
  { method: 'POST', path: '/_matrix/media/v3/upload', handling: 'upload' },
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/download/{server}/{media}',
    handling: 'download',
    query: ['timeout_ms'],
  },
]

/** Account data that secret storage and the key backup need; all of it is encrypted under K or public. */
export const readableAccountData =
  /^(m\.secret_storage\.(default_key|key\.[A-Za-z0-9]{1,64})|m\.cross_signing\.(master|self_signing|user_signing)|m\.megolm_backup\.v1|org\.matrix\.msc3814|io\.wardroom\.draft)$/

const shapes: Record<string, (value: string, scope: Scope) => boolean> = {
  me: (v, s) => v === s.userId,
  room: (v, s) => v === s.roomId,
  event: v => /^\$[A-Za-z0-9_+/=-]{1,200}(:[A-Za-z0-9.:-]{1,200})?$/.test(v),
  txn: v => /^[A-Za-z0-9_.~:-]{1,128}$/.test(v),
  session: v => /^[A-Za-z0-9+/=_-]{1,128}$/.test(v),
  device: v => /^[A-Za-z0-9+/=_-]{1,128}$/.test(v),
  secret: v => readableAccountData.test(v),
  server: v => /^[A-Za-z0-9][A-Za-z0-9.-]{0,250}(:\d{1,5})?$/.test(v),
  media: v => /^[A-Za-z0-9_-]{1,255}$/.test(v),
}

export type Matched = {
  route: Route
  params: Record<string, string>
  /** Rebuilt from the checked parts, never the caller's own text. */
  path: string
  query: URLSearchParams
  /** The page's own filter parameter: a hint for the sync's page size. */
  filter: string | null
}
/** `foreign`: a call that exists, for somebody else's user, room or data. */
export type NotMatched = { refused: 'malformed' | 'unknown' | 'foreign' | 'credentials' }

/** One path segment, decoded once; undefined when it could mean something else to the next reader. */
const decode = (segment: string): string | undefined => {
  let plain: string
  try {
    plain = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  // A percent sign left is a second encoding. biome-ignore: control characters are what is looked for.
  const odd =
    plain === '.' || plain === '../..' || /[%\\\s]/.test(plain) || [...plain].some(c => c < ' ' || c === '\x7f')
  return odd ? undefined : plain
}

const credentials = ['access_token', 'user_id', 'device_id', 'org.matrix.msc3202.device_id']

type Fit = 'no' | 'foreign' | Record<string, string>
const against = (route: Route, segments: readonly string[], scope: Scope): Fit => {
  const parts = route.path.split('/').slice(1)
  if (parts.length !== segments.length) return 'no'
  const params: Record<string, string> = {}
  let foreign = false
  for (const [i, part] of parts.entries()) {
    const value = segments[i] ?? ''
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (!name) {
      if (part !== value) return 'no'
    } else {
      if (!shapes[name]?.(value, scope)) foreign = true
      params[name] = value
    }
  }
  return foreign ? 'foreign' : params
}

const rebuild = (route: Route, params: Record<string, string>): string =>
  route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))

const pick = (all: URLSearchParams, allowed: readonly string[]): URLSearchParams | undefined => {
  const out = new URLSearchParams()
  for (const name of allowed) {
    const values = all.getAll(name)
    if (values.length > 1 || (values[0]?.length ?? 0) > 2048) return undefined
    if (values[0] !== undefined) out.set(name, values[0])
  }
  return out
}

/**
 * Finds the allowed call that a request is, per decoded segment, for this session's own ghost and room. `target` is the request's raw path and query. What
 * is passed on is built anew from the parts, so that nothing that was not looked at reaches the homeserver.
 */
export const matchRoute = (
  method: string,
  target: string,
  scope: Scope,
  allowed: readonly Route[] = routes,
): Matched | NotMatched => {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (target.length > 8192 || !path.startsWith('/_matrix/') || !/^[\x21-\x7e]+$/.test(target) || target.includes('#'))
    return { refused: 'malformed' }
  const segments = path.split('/').slice(1).map(decode)
  if (segments.some(s => s === undefined)) return { refused: 'malformed' }
  const all = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  if (credentials.some(name => all.has(name))) return { refused: 'credentials' }
  let foreign = false
  for (const route of allowed) {
    if (route.method !== method) continue
    const params = against(route, segments as string[], scope)
    if (params === 'foreign') foreign = true
    if (typeof params === 'string') continue
    const query = pick(all, route.query ?? [])
    const filter = all.get('filter')
    return query ? { route, params, path: rebuild(route, params), query, filter } : { refused: 'malformed' }
  }
  return { refused: foreign ? 'foreign' : 'unknown' }
}
