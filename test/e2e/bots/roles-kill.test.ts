import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { resetCrypto } from '../../../core/matrix/bot/bot.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'
import { botUsers } from '../../../core/store/bots/bot-devices.ts'
import { openContent } from '../../../core/store/oncall/pages.ts'
import { addOnCallRole } from '../../../core/store/oncall/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import type { Clinician } from '../../support/clinician.ts'
import type { TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type ChildDesk, childDesk } from '../../support/processes/child-desk.ts'
import type { DeskProcessOptions } from '../../support/processes/desk-process.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'

const long = process.env.WARDROOM_LONG === '1'
const random = seededRandom('roles-kill')
const kills = long ? 15 : 1
const roles = long ? 100 : 2
/** Roles that are written to; in the long run more than may be awake at a time. */
const chats = long ? 24 : 2

describe(`${roles} roles in one process, killed while people write to them`, function () {
  this.timeout(long ? 1_800_000 : 240_000)
  let desk: ChildDesk | undefined
  let d: TestDatabase
  let sue: Clinician
  let options: DeskProcessOptions
  const rooms: string[] = []

  const megabytes = () =>
    Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${desk?.pid()}/status`, 'utf8'))?.[1]) / 1024)
  const since = (at: number) => `${((performance.now() - at) / 1000).toFixed(1)} s`
  const print = (line: string) => long && process.stdout.write(`      ${line}\n`)
  const userOf = (n: number) => `@role_${options.localpart}_${n}:${options.homeserver.serverName}`

  before(async function () {
    this.timeout(180_000)
    desk = await childDesk({ localpart: 'sue' }, random)
    ;({ db: d, admin: sue, options } = desk)
  })
  after(() => desk?.stop())

  it('are ready for everybody, a few of them awake', async () => {
    await desk?.start()
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
    await desk?.kill()
    const again = performance.now()
    await desk?.start()
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
      await desk?.kill()
      await desk?.start()
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

  it('page again after a restored backup, once every bot was reset', async () => {
    await desk?.kill()
    await d.store.db('bot_device').decrement('beat', 1)
    const { homeserver, registration } = options
    const acting = createHomeserver({ url: homeserver.url, asToken: secret(registration.as_token) })
    const users = await botUsers(d.store.db)
    expect(users).to.include.members([userOf(0), userOf(1)])
    for (const userId of users)
      expect(await resetCrypto({ homeserver: acting, store: d.store, userId, log: testLog(), by: 'root' })).to.equal(
        'identity-kept',
      )
    await desk?.start()
    const { device_id: deviceId } = await eventually(
      () =>
        d.store
          .db('bot_device')
          .where({ bot: userOf(0) })
          .whereNotNull('identity_key')
          .first(),
      { what: 'the new device' },
    )
    const status = () => sue.client.getCrypto()?.getDeviceVerificationStatus(userOf(0), deviceId)
    await eventually(async () => (await status())?.signedByOwner, { what: 'its signature, as her client sees it' })
    await sue.send(rooms[0] ?? '', 'stat after the restore')
    await eventually(async () => {
      const pages: { id: string }[] = await d.store.db('page').select('id')
      const contents = await Promise.all(pages.map(p => openContent(d.store, d.store.db, p.id)))
      return contents.some(c => c?.text.includes('after the restore'))
    })
  })
})
