import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { openContent } from '../../../core/store/oncall/pages.ts'
import { addOnCallRole } from '../../../core/store/oncall/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import type { DeskProcessOptions } from '../../support/processes/desk-process.ts'
import { seededRandom } from '../../support/random.ts'
import { stack } from '../../support/stack.ts'

const long = process.env.WARDROOM_LONG === '1'
const random = seededRandom('roles-kill')
const kills = long ? 15 : 1
const roles = long ? 100 : 2
/** Roles that are written to; in the long run more than may be awake at a time. */
const chats = long ? 24 : 2
const script = fileURLToPath(new URL('../../support/processes/desk-process.ts', import.meta.url))

describe(`${roles} roles in one process, killed while people write to them`, function () {
  this.timeout(long ? 1_800_000 : 240_000)
  let d: TestDatabase
  let sue: Clinician
  let options: DeskProcessOptions
  let child: ChildProcess | undefined
  const rooms: string[] = []

  const start = async () => {
    const started = spawn(process.execPath, [script], {
      env: { ...process.env, DESK: JSON.stringify(options) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child = started
    await new Promise<void>(done => started.stdout?.once('data', () => done()))
  }
  const kill = async () => {
    const dying = child
    if (!dying) return
    const gone = new Promise(done => dying.once('exit', done))
    dying.kill('SIGKILL')
    await gone
  }
  const megabytes = () =>
    Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child?.pid}/status`, 'utf8'))?.[1]) / 1024)
  const since = (at: number) => `${((performance.now() - at) / 1000).toFixed(1)} s`
  const print = (line: string) => long && process.stdout.write(`      ${line}\n`)
  const userOf = (n: number) => `@role_${options.localpart}_${n}:${options.homeserver.serverName}`

  before(async function () {
    this.timeout(180_000)
    const { synapse, registrations, ports } = await stack()
    d = await database()
    sue = await clinician('sue')
    options = {
      databaseUrl: d.url,
      homeserver: { url: synapse.url, serverName: synapse.serverName },
      registration: registrations.bots,
      keys: d.keys,
      port: ports.bots,
      localpart: `wardroom_${Buffer.from(random.bytes(4)).toString('hex')}`,
      firstAdmin: sue.userId,
    }
  })
  after(async () => {
    await kill()
    await sue?.stop()
    await d?.drop()
  })

  it('are ready for everybody, a few of them awake', async () => {
    await start()
    print(`without a role: ${megabytes()} MB`)
    const before = performance.now()
    await transact(d.store, async tx => {
      for (let n = 0; n < roles; n++) {
        const role = { key: `${options.localpart}_${n}`, name: `Role ${n}`, unit: 'main', zone: 'UTC' }
        const made = await addOnCallRole(
          tx,
          { ...role, fallback: sue.userId, server: options.homeserver.serverName },
          { by: sue.userId },
        )
        if (isRefusal(made)) throw new Error(made.sentence)
      }
    })
    const prepared = async () =>
      (await d.store.db('bot_device').where('bot', 'like', '@role%').whereNotNull('master_key')).length
    await eventually(async () => (await prepared()) === roles, {
      timeout: 60_000 + roles * 10_000,
      what: async () => `${await prepared()} of ${roles} roles`,
    })
    print(`${roles} roles made in ${since(before)}: ${megabytes()} MB`)
    for (let n = 0; n < chats; n++) rooms.push(await sue.direct(userOf(n)))
    print(`${chats} chats opened: ${megabytes()} MB`)
    if (!long) return
    await kill()
    const again = performance.now()
    await start()
    print(`started again in ${since(again)}: ${megabytes()} MB`)
  })

  it(`page for each message once, over ${kills} kills`, async () => {
    const written: string[] = []
    let talking = true
    const talk = async () => {
      for (let n = 0; talking; n++) {
        const words = `matter-${n}-`
        await sue.send(rooms[n % rooms.length] ?? '', words)
        written.push(words)
        await pause(100 + random.int(200))
      }
    }
    const talked = talk()
    for (let n = 0; n < kills; n++) {
      await pause(500 + random.int(2500))
      await kill()
      await start()
    }
    talking = false
    await talked
    const paged = async () => {
      const pages: { id: string }[] = await d.store.db('page').select('id')
      const contents = await Promise.all(pages.map(p => openContent(d.store, d.store.db, p.id)))
      return contents.map(c => c?.text).join('\n')
    }
    const times = async () => {
      const all = await paged()
      return written.map(w => all.split(w).length - 1)
    }
    await eventually(async () => (await times()).every(t => t > 0), {
      timeout: long ? 300_000 : 60_000,
      what: async () =>
        `a page for each of ${written.length} messages (${JSON.stringify([await times(), await d.store.db('inbox').whereNot({ state: 'done' }).select('source', 'state', 'reason', 'attempts')])})`,
    })
    expect(await times(), 'and none twice').to.deep.equal(written.map(() => 1))
    expect(await d.store.db('page'), 'one for each chat').to.have.lengthOf(Math.min(chats, written.length))
    const unfinished = () =>
      d.store.db('outbox').where({ queue: 'roles' }).whereNot({ state: 'done' }).select('kind', 'state', 'last_error')
    // Called, or held where one person would be called too often within a minute.
    const silent = () =>
      rooms
        .slice(0, written.length)
        .filter(room => !sue.seen(room).some(s => s.sender.startsWith('@role_') && /^[0-9A-Z]{4}: /.test(s.body)))
    await eventually(async () => silent().length === 0 && (await unfinished()).length === 0, {
      timeout: long ? 240_000 : 60_000,
      what: async () => {
        const unread = silent().map(r => sue.seen(r).map(s => [s.sender, s.failure ?? s.body.slice(0, 30)]))
        return `the word of each role (${JSON.stringify([unread, await unfinished()])})`
      },
    })
    print(`${written.length} messages in ${chats} chats over ${kills} kills: ${megabytes()} MB`)
  })
})
