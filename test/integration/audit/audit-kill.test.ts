import { expect } from 'chai'
import { checkLog } from '../../../core/store/audit/log/check.ts'
import { checkpointsAfter, type StoredCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { encodeSigningKey, generateSigningKey } from '../../../core/tlog/key.ts'
import { testOrigin } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type AuditProcess, type AuditProcessOptions, auditProcess } from '../../support/processes/audit-process.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('audit-kill')
const long = process.env.WARDROOM_LONG === '1'
const kills = long ? 1000 : 30

describe('kill -9 of sequencers and writers of the audit log', function () {
  this.timeout(long ? 3_600_000 : 240_000)
  let d: TestDatabase
  const running: (AuditProcess | undefined)[] = []
  before(async () => {
    d = await database()
  })
  after(async () => {
    for (const p of running) await p?.kill()
    await d.drop()
  })

  it(`${kills} times: no entry lost, none twice, the tree consistent with every checkpoint ever published`, async () => {
    const key = generateSigningKey(testOrigin, 'note', random)
    const common = { url: d.url, keys: d.keys }
    const sequencer = (): AuditProcessOptions => ({
      ...common,
      role: 'sequencer',
      origin: testOrigin,
      logKey: encodeSigningKey(key),
      pollMs: 5,
      batch: 20,
      leaseTtlMs: 400,
    })
    let writers = 0
    const writer = (): AuditProcessOptions => ({ ...common, role: 'writer', name: `w${writers++}` })
    const told = new Map<string, number>()
    const note = (o: AuditProcessOptions, p: AuditProcess) => {
      if (o.role === 'writer')
        told.set(
          o.name,
          Number(
            p
              .lines()
              .filter(line => /^\d+$/.test(line))
              .at(-1) ?? 0,
          ),
        )
    }
    const published = new Map<number, StoredCheckpoint>()
    const collect = async () => {
      const after = Math.max(0, ...published.keys())
      for (const c of await checkpointsAfter(d.store.db, after, 10_000)) published.set(c.size, c)
    }

    // Two of each: the second sequencer waits for the first one's lease, and takes over when that is killed.
    const roles = [sequencer, sequencer, writer, writer]
    const options = roles.map(role => role())
    for (const [i, o] of options.entries()) running[i] = auditProcess(o)
    for (const p of running) await p?.begun()
    for (let n = 0; n < kills; n++) {
      const i = random.int(roles.length)
      await new Promise(done => setTimeout(done, random.int(250)))
      await collect()
      const [p, o, role] = [running[i], options[i], roles[i]]
      if (!p || !o || !role) throw new Error('there is no such process')
      await p.kill()
      note(o, p)
      const next = role()
      options[i] = next
      running[i] = auditProcess(next)
      if (random.int(3) > 0) await running[i]?.begun() // else it may be killed while it starts
    }
    for (const i of [2, 3]) {
      await running[i]?.kill()
      const [p, o] = [running[i], options[i]]
      if (p && o) note(o, p)
    }
    await eventually(async () => (await d.store.db('audit_queue').first()) === undefined, {
      timeout: 60_000,
      what: 'the queue to be sequenced',
    })
    await collect()
    for (const p of running.splice(0)) await p?.kill()

    const entries: { idx: number; object_ref: string }[] = await d.store.db('audit_entry').orderBy('idx')
    expect(entries.map(e => e.idx)).to.deep.equal(entries.map((_, i) => i))
    const names = entries.map(e => e.object_ref)
    expect(new Set(names).size, 'none twice').to.equal(names.length)
    const logged = new Set(names)
    const lost = [...told].flatMap(([name, count]) =>
      Array.from({ length: count }, (_, n) => [`${name}:${n + 1}:a`, `${name}:${n + 1}:b`])
        .flat()
        .filter(each => !logged.has(each)),
    )
    expect(lost, 'none lost').to.deep.equal([])
    for (const each of names)
      expect(logged.has(each.replace(/:[ab]$/, ':a')) && logged.has(each.replace(/:[ab]$/, ':b'))).to.equal(true)
    expect(entries.length).to.be.greaterThan(kills)
    expect(published.size).to.be.greaterThan(kills / 2)
    const pins = [...published.values()]
    expect(await checkLog(d.store.db, { verifiers: [key.verifier], pins })).to.deep.equal([])
  })
})
