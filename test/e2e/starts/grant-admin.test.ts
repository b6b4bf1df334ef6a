import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import type { UserId } from '../../../core/domain/ids.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { ensureUser } from '../../../core/matrix/our-users.ts'
import { secret } from '../../../core/secret.ts'
import { grantRole, holdersOf, listGrants, standingOf } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { type Stack, stack } from '../../support/stack.ts'

const program = join(import.meta.dirname, '../../../bin/wardroom.mjs')

describe('wardroom grant-admin, from a shell', function () {
  this.timeout(120_000)
  let s: Stack
  let d: TestDatabase
  let ann: Clinician
  let folder: string
  before(async () => {
    s = await stack()
    d = await database()
    ann = await clinician('ann_grant')
    const homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
    await ensureUser(homeserver, `@wardroom:${s.synapse.serverName}` as UserId)
    folder = mkdtempSync(join(tmpdir(), 'wardroom-grant-'))
    const write = (name: string, content: string) => writeFileSync(join(folder, name), content, { mode: 0o600 })
    write('sealing.json', JSON.stringify(d.keys))
    write('bots.yaml', stringify(s.registrations.bots))
    write('ghosts.yaml', stringify(s.registrations.ghosts))
    const { url, serverName } = s.synapse
    write(
      'wardroom.yaml',
      stringify({
        dataDir: folder,
        homeserver: {
          url,
          serverName,
          registrations: { bots: join(folder, 'bots.yaml'), ghosts: join(folder, 'ghosts.yaml') },
        },
        database: { url: d.url },
        keys: { file: join(folder, 'sealing.json'), keeperSecret: 'x'.repeat(43) },
      }),
    )
  })
  after(async () => {
    await ann?.stop()
    await d?.drop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  const grantAdmin = async (...args: string[]) => {
    const all = [program, 'grant-admin', ...args, '--config', join(folder, 'wardroom.yaml')]
    const child = spawn(process.execPath, all, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
    const code = await new Promise<number | null>((done, failed) => child.once('close', done).once('error', failed))
    return { code, text }
  }

  it('makes somebody administrator with the identity that their app shows, once, and it is audited', async () => {
    const { code, text } = await grantAdmin(ann.userId)
    expect(code, text).to.equal(0)
    const [grant] = await listGrants(d.store.db, { userId: ann.userId, role: 'admin' })
    expect(grant?.grantedBy).to.match(/^host:/)
    expect(text).to.include(grant?.identity ?? 'no identity')
    const identity = grant?.identity ?? null
    expect((await transact(d.store, tx => standingOf(tx, ann.userId as UserId, identity))).roles).to.deep.equal([
      'admin',
    ])
    const rows = await d.store.db('audit_queue').where({ action: 'role.grant' })
    expect(rows.at(-1).actor).to.deep.include({ kind: 'service' })
    const again = await grantAdmin(ann.userId)
    expect([again.code, again.text]).to.satisfy(([c, t]: [number, string]) => c === 1 && t.includes('already'))
  })

  it('is refused in one sentence while others can do it, for a stranger, and for somebody without an identity', async () => {
    await transact(d.store, tx =>
      grantRole(tx, { userId: '@boss:wardroom.test' as UserId, role: 'admin', by: 'configuration', identity: 'k' }),
    )
    await d.store.db('role_grant').where({ user_id: ann.userId }).delete()
    const others = await grantAdmin(ann.userId)
    expect(others.text).to.include('--anyway').and.include('@boss:wardroom.test')
    expect((await grantAdmin('@somebody:elsewhere.example')).text).to.include('Say who: wardroom grant-admin')
    const { userId } = await s.synapse.registerUser('plain_grant')
    const plain = await grantAdmin(userId, '--anyway')
    expect([plain.code, plain.text.trim().split('\n').length]).to.deep.equal([1, 1])
    expect(plain.text).to.include('no cross-signing yet')
    expect(await holdersOf(d.store.db, 'admin')).to.deep.equal(['@boss:wardroom.test'])
    expect((await grantAdmin(ann.userId, '--anyway')).code).to.equal(0)
    expect(await d.store.db('outbox').where({ kind: 'bot.say' })).to.have.lengthOf(1)
  })
})
