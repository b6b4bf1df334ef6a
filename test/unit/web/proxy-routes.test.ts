import { expect } from 'chai'
import fc from 'fast-check'
import { matchRoute, routes } from '../../../appservice/http/proxy/matrix-routes.ts'
import { seed } from '../../support/random.ts'

const me = { userId: '@p_abc:clinic.example', roomId: '!Room/1+x:clinic.example' }
const other = { userId: '@p_other:clinic.example', roomId: '!Other:clinic.example' }
const e = encodeURIComponent
const good: Record<string, string> = {
  me: me.userId,
  room: me.roomId,
  event: '$abc_DEF-0123',
  txn: 'm1700000000.0',
  session: 'AbC+/d=',
  device: 'x+/y=',
  secret: 'm.megolm_backup.v1',
  server: 'clinic.example:8448',
  media: 'AbCdEf',
}
const fill = (path: string, values: Record<string, string>) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => e(values[name] ?? ''))
const runs = process.env.WARDROOM_LONG === '1' ? 20_000 : 1000

describe('proxy routes', () => {
  for (const route of routes)
    it(`pass ${route.method} ${route.path} for the session's own ghost and room`, () => {
      const found = matchRoute(route.method, fill(route.path, good), me)
      expect(found).to.have.property('path', fill(route.path, good))
    })

  it('refuse every call with another ghost or room in it', () => {
    for (const route of routes.filter(r => /\{(me|room)\}/.test(r.path))) {
      const foreign = fill(route.path, { ...good, me: other.userId, room: other.roomId })
      expect(matchRoute(route.method, foreign, me), route.path).to.deep.equal({ refused: 'foreign' })
    }
  })

  it('refuse every other method, also for paths that exist', () => {
    for (const route of routes)
      for (const method of ['HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'get'])
        expect(matchRoute(method, fill(route.path, good), me), method).to.have.property('refused')
    expect(
      matchRoute('PUT', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device', me),
      'replacing the dehydrated device loses messages',
    ).to.deep.equal({ refused: 'unknown' })
  })

  const tricks: [string, string][] = [
    ['dot segments', '/_matrix/client/v3/rooms/../sync'],
    ['encoded dot segments', '/_matrix/client/v3/%2e%2e/v3/sync'],
    ['an encoded slash where a path ends', '/_matrix/client/v3%2Fsync'],
    ['double encoding', `/_matrix/client/v3/rooms/${e(e(me.roomId))}/messages`],
    ['a backslash', '/_matrix/client/v3\\sync'],
    ['an encoded backslash', '/_matrix/client/v3/%5Csync'],
    ['an empty segment', '/_matrix//client/v3/sync'],
    ['a slash at the end', '/_matrix/client/v3/sync/'],
    ['a null byte', '/_matrix/client/v3/sync%00'],
    ['a fragment', '/_matrix/client/v3/sync#x'],
    ['a broken escape', '/_matrix/client/v3/sync%zz'],
    ['another case', '/_matrix/client/v3/Sync'],
    ['an absolute address', 'http://elsewhere.example/_matrix/client/v3/sync'],
    ['the admin interface', '/_synapse/admin/v1/users'],
    ['an older version', '/_matrix/client/r0/sync'],
    ['a parameter in the path', '/_matrix/client/v3/sync;x=1'],
  ]
  for (const [what, path] of tricks)
    it(`refuse ${what}`, () => expect(matchRoute('GET', path, me)).to.have.property('refused'))

  it('refuse tokens and users in the address', () => {
    for (const name of ['access_token', 'user_id', 'device_id', 'org.matrix.msc3202.device_id'])
      expect(matchRoute('GET', `/_matrix/client/v3/sync?${name}=x`, me)).to.deep.equal({ refused: 'credentials' })
  })

  it('drop query parameters that the route does not list, and refuse doubled ones', () => {
    const found = matchRoute('GET', '/_matrix/client/v3/sync?since=s1&server_name=evil&filter=0', me)
    expect('query' in found && found.query.toString()).to.equal('since=s1')
    expect(matchRoute('GET', '/_matrix/client/v3/sync?since=a&since=b', me)).to.deep.equal({ refused: 'malformed' })
    const upload = matchRoute('POST', '/_matrix/media/v3/upload?filename=biopsy.pdf', me)
    expect('query' in upload && upload.query.toString()).to.equal('')
  })

  it('build the path anew, so that whatever text came in, what goes out is an allowed path of this session', () => {
    const piece = fc.oneof(
      fc.constantFrom(...routes.flatMap(r => r.path.split('/'))),
      fc.constantFrom(
        e(me.userId),
        e(me.roomId),
        e(other.roomId),
        '%2e%2e',
        '..',
        '.',
        '%2F',
        '%252F',
        '%00',
        '',
        '?',
        '#',
        ';',
      ),
      fc.string({ maxLength: 6 }),
    )
    const own = new Set(routes.map(r => r.path.split('/').length))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.constantFrom('GET', 'PUT', 'POST'), (pieces, method) => {
        const found = matchRoute(method, `/_matrix/${pieces.join('/')}`, me)
        if ('refused' in found) return
        expect(found.path).to.equal(fill(found.route.path, found.params))
        expect(own.has(found.path.split('/').length)).to.equal(true)
        if (found.params.room) expect(found.params.room).to.equal(me.roomId)
        if (found.params.me) expect(found.params.me).to.equal(me.userId)
        expect(found.path).to.not.match(/\/\.{1,2}(\/|$)|%25|%5C|%00/)
      }),
      { seed, numRuns: runs },
    )
  })
})
