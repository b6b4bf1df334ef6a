import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import { canBeEnteredBy, databaseUser } from '../../../cli/stack/database-user.ts'
import { type Postgres, startPostgres } from '../../../cli/stack/postgres.ts'
import { freePort } from '../../support/free-port.ts'

const rows = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
    .query(sql)
    .then(result => result.rows)
    .finally(() => client.end())
}
const refused = (url: string, sql: string) =>
  rows(url, sql).then(
    () => 'allowed',
    (error: Error) => error.message,
  )

describe('embedded PostgreSQL', function () {
  this.timeout(120_000)
  let folder: string
  let server: Postgres | undefined
  const lines: string[] = []
  const start = async (dataDir = folder): Promise<Postgres> => {
    server = await startPostgres({
      dataDir,
      port: await freePort(),
      log: line => lines.push(line),
      settings: { fsync: 'off' },
    })
    return server
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-postgres-'))
    chmodSync(folder, 0o711)
  })
  afterEach(async () => {
    await server?.stop()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('has both databases, Synapse in the C locale that it demands, and finishes what a killed initialisation left', async () => {
    mkdirSync(join(folder, 'postgres/cluster/partial'), { recursive: true })
    writeFileSync(join(folder, 'postgres/cluster/partial/half'), 'made')
    chmodSync(join(folder, 'postgres'), 0o711)
    const { url } = await start()
    const [row] = await rows(
      url('synapse'),
      "select datcollate, datctype, pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'synapse'",
    )
    expect(row).to.deep.equal({ datcollate: 'C', datctype: 'C', encoding: 'UTF8' })
    expect(await rows(url('wardroom'), "select lower('ÄÑ') as lower")).to.deep.equal([{ lower: 'äñ' }])
  })

  it('keeps Synapse and the keeper out of what is not theirs, and asks everybody for a password', async () => {
    const { url, keeperUrl, port } = await start()
    const synapseThere = url('synapse').replace(/\/synapse$/, '/wardroom')
    expect(await refused(synapseThere, 'select 1')).to.match(/permission denied/)
    await rows(url('wardroom'), 'create table patient_secret (x text)')
    expect(await refused(keeperUrl(), 'select * from patient_secret')).to.match(/permission denied/)
    expect(await refused(`postgres://wardroom:guess@127.0.0.1:${port}/wardroom`, 'select 1')).to.match(
      /authentication failed/,
    )
    expect(statSync(join(folder, 'postgres/passwords.json')).mode & 0o777).to.equal(0o600)
  })

  it('listens on this machine only', async () => {
    const { url } = await start()
    const [row] = await rows(url('wardroom'), 'show listen_addresses')
    expect(row).to.deep.equal({ listen_addresses: '127.0.0.1' })
  })

  it('writes no statement, which may hold a patient’s words, into its log', async () => {
    const { url } = await start()
    expect(await refused(url('wardroom'), "select 'my chest hurts'::integer")).to.match(/invalid input/)
    const log = readFileSync(join(folder, 'logs/postgres.log'), 'utf8')
    expect(log).not.to.include('my chest')
  })

  it('takes over from a server that a killed supervisor left running', async () => {
    const orphan = await start()
    const next = await start()
    await orphan.exited
    expect(lines).to.include('Stopping the PostgreSQL that an earlier run left behind')
    expect(await rows(next.url('wardroom'), 'select 1 as one')).to.deep.equal([{ one: 1 }])
  })

  it('starts on a folder that the database’s own user cannot enter, and keeps its data', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'wardroom-closed-')) // mode 700, as a home is
    const elsewhere = join(closed, 'postgres/elsewhere')
    const user = databaseUser()
    try {
      const first = await start(closed)
      await rows(first.url('wardroom'), 'create table kept as select 42 as n')
      await first.stop()
      const again = await start(closed)
      expect(await rows(again.url('wardroom'), 'select n from kept')).to.deep.equal([{ n: 42 }])
      await again.stop()
      if (user) expect(canBeEnteredBy(readFileSync(elsewhere, 'utf8').trim(), user)).to.equal(true)
      else expect(existsSync(elsewhere), 'an ordinary user needs no other place').to.equal(false)
    } finally {
      if (existsSync(elsewhere)) rmSync(readFileSync(elsewhere, 'utf8').trim(), { recursive: true, force: true })
      rmSync(closed, { recursive: true, force: true })
    }
  })

  it('is run by postgres, else nobody, when we are root, and says so when neither is there', () => {
    const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n'
    expect(databaseUser(passwd, 0)).to.deep.equal({ name: 'nobody', uid: 65534, gid: 65534 })
    expect(databaseUser(`${passwd}postgres:x:5:6::/:/bin/sh\n`, 0)).to.deep.equal({ name: 'postgres', uid: 5, gid: 6 })
    expect(databaseUser(passwd, 1000)).to.equal(undefined)
    expect(() => databaseUser('root:x:0:0::/root:/bin/sh\n', 0)).to.throw(/does not run as root.*DATABASE_URL/)
  })
})
