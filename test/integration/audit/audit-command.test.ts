import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { writeKeyFile } from '../../../core/keys.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { sequence } from '../../../core/store/audit/log/sequence.ts'
import { storedTree } from '../../../core/store/audit/log/tiles.ts'
import { releaseLease, tryLease } from '../../../core/store/bots/leases.ts'
import { generateSigningKey, type SigningKey } from '../../../core/tlog/key.ts'
import { parseNote, signatureLine } from '../../../core/tlog/note.ts'
import { audited } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'

const origin = 'ward.example/audit'

describe('wardroom audit', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let home: string
  let keys: [SigningKey, SigningKey]

  /** Writes events, and has them sequenced with these keys. */
  const grow = async (count: number, ...signers: SigningKey[]) => {
    for (let i = 0; i < count; i++) await audited(d.store)
    const epoch = await tryLease(d.store.db, 'audit-log', 'test', 60_000)
    if (!epoch) throw new Error('another test leads')
    const lease = { name: 'audit-log', epoch }
    const tree = await storedTree(d.store.db, (await latestCheckpoint(d.store.db))?.size ?? 0)
    await sequence({ store: d.store, lease, origin, keys: signers }, tree, 1000)
    await releaseLease(d.store.db, lease)
    return (await latestCheckpoint(d.store.db))!
  }

  /** Runs the command in a folder where there is nothing, without the environment's settings; gives its exit code and what it said. */
  const wardroom = async (...args: string[]): Promise<string> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../../cli/main.ts'), 'audit', ...args], {
      cwd: home,
      env: { PATH: process.env.PATH },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', d => {
        said += d
      })
    const [code] = await once(child, 'close')
    return `${code} ${said}`
  }

  beforeEach(async () => {
    d = await database()
    home = await mkdtemp(join(tmpdir(), 'wardroom-audit-'))
    const key = () => generateSigningKey(origin, 'note', d.store.random)
    keys = [key(), key()]
    writeKeyFile(join(home, 'sealing.json'), d.keys)
    await writeFile(
      join(home, 'wardroom.yaml'),
      JSON.stringify({
        homeserver: { url: 'http://127.0.0.1:9', serverName: 'ward.example' },
        database: { url: d.url },
        keys: { file: join(home, 'sealing.json'), keeperSecret: 'secret-of-this-test-only-0123456789' },
      }),
    )
  })
  afterEach(async () => {
    await rm(home, { recursive: true, force: true })
    await d.drop()
  })
  const exportTo = (folder: string) => wardroom('export', '--out', folder, '--config', 'wardroom.yaml')

  it('exports the database’s log with handover and cosignature, records that, and verifies it without database or configuration', async () => {
    const [old, current] = keys
    const witness = generateSigningKey('witness.example/w1', 'cosignature', d.store.random)
    await grow(100, old)
    await grow(200, old, current)
    const pinned = await grow(30, current)
    const text = parseNote(pinned.note)
    if ('refused' in text) throw new Error(text.sentence)
    const cosigned = { size: pinned.size, witness: 'witness.example/w1', at: d.store.clock.now() }
    await d.store
      .db('audit_cosignature')
      .insert({ ...cosigned, line: signatureLine(text.text, witness, d.store.clock) })
    const latest = await grow(10, current)

    const said = await exportTo('log')
    expect(said)
      .to.match(/^0 /)
      .and.include('ward.example/audit: 340 entries')
      .and.include('VERIFIED: every entry is as it was signed.')
    expect(said).to.include(`then key ${current.verifier.vkey}`)
    const waiting: { action: string }[] = await d.store.db('audit_queue').select('action')
    expect(waiting.map(w => w.action)).to.deep.equal(['audit.export'])
    expect(await readFile(join(home, 'log/checkpoint'), 'utf8')).to.equal(latest.note)
    expect(await exportTo('log'))
      .to.match(/^1 /)
      .and.include('is there already')

    await writeFile(join(home, 'pinned'), pinned.note)
    await writeFile(join(home, 'first-key'), `${old.verifier.vkey}\n`)
    await writeFile(join(home, 'witnesses'), `${witness.verifier.vkey}\n`)
    const verified = await wardroom(
      'verify',
      'log',
      '--against',
      'pinned',
      '--vkey',
      'first-key',
      '--witnesses',
      'witnesses',
    )
    expect(verified)
      .to.match(/^0 /)
      .and.include('cosigned by witness.example/w1 at 330 entries')
      .and.include('VERIFIED')
    expect(await wardroom('verify', 'log', '--vkey', 'witnesses'))
      .to.match(/^1 /)
      .and.include('NOT VERIFIED')
    expect(await wardroom('verify', home))
      .to.match(/^1 /)
      .and.include('is not an exported log')
  })

  it('says which entry was changed in the database', async () => {
    await grow(300, keys[0])
    await d.store.db.raw(`update audit_entry set leaf = replace(leaf, '@ann:test', '@bob:test') where idx = 270`)
    const said = await exportTo('log')
    expect(said)
      .to.match(/^1 /)
      .and.include('WRONG  tile/entries/001.p/44: Entry 270 is not the one whose hash tile/0/001.p/44 has.')
    expect(said).to.include('NOT VERIFIED: 2 things are wrong.')
    await d.store.db.raw('delete from audit_entry where idx = 5')
    expect(await exportTo('other'))
      .to.match(/^1 /)
      .and.include('The database has no entry 5.')
  })
})
