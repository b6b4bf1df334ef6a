import { expect } from 'chai'
import type { Knex } from 'knex'
import { checkLog } from '../../../core/store/audit/log/check.ts'
import { checkpointAt, latestCheckpoint, type StoredCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { storedTree, storeTiles } from '../../../core/store/audit/log/tiles.ts'
import { checkpointText } from '../../../core/tlog/checkpoint.ts'
import { hashBytes, leafHashes } from '../../../core/tlog/hash.ts'
import { signNote } from '../../../core/tlog/note.ts'
import { tilesOf } from '../../../core/tlog/tile.ts'
import { appendLeaves, rootOf } from '../../../core/tlog/tree.ts'
import { audited, type TestAuditLog, testAuditLog, testOrigin } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('audit-tamper')
const rounds = process.env.WARDROOM_LONG === '1' ? 10_000 : 80
const size = 330

type Tamper = (sql: Knex.Transaction) => Promise<unknown>

describe('a log that somebody with the database and the signing key changes', function () {
  this.timeout(process.env.WARDROOM_LONG === '1' ? 3_600_000 : 120_000)
  let d: TestDatabase
  let log: TestAuditLog
  let pinned: StoredCheckpoint
  before(async () => {
    d = await database()
    log = testAuditLog(d.store)
    for (let i = 0; i < size; i++)
      await audited(d.store, {
        object: { kind: 'patient', id: `pt_${i % 9}` },
        patient: `pt_${i % 9}`,
        detail: { n: i },
      })
    await log.sequence(50)
    pinned = (await latestCheckpoint(d.store.db)) as StoredCheckpoint
  })
  after(() => d.drop())

  /** What the check finds after the change, which is then undone. */
  const findings = async (tamper: Tamper) => {
    const sql = await d.store.db.transaction()
    try {
      await tamper(sql)
      return await checkLog(sql, { verifiers: [log.key.verifier], pins: [pinned] })
    } finally {
      await sql.rollback()
    }
  }

  const entry = () => random.int(size)
  const flipped = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes)
    const i = random.int(copy.length)
    copy[i] = (copy[i] ?? 0) ^ (1 << random.int(8))
    return copy
  }
  const changed = (text: string): string => {
    const i = random.int(text.length)
    return text.slice(0, i) + (text[i] === 'x' ? 'y' : 'x') + text.slice(i + 1)
  }
  const leafOf = async (sql: Knex.Transaction, idx: number): Promise<string> =>
    (await sql('audit_entry').where({ idx }).first('leaf')).leaf
  /** Takes the log back to its first entries, tiles and checkpoint included, as a backup would be. */
  const backTo = async (sql: Knex.Transaction, kept: number): Promise<void> => {
    const tree = await storedTree(sql, kept)
    const tiles: { level: number; n: number; hashes: Buffer }[] = await sql('audit_tile').select()
    await sql('audit_tile').delete()
    await storeTiles(
      sql,
      [...tilesOf(kept)].map(({ level, n, width }) => {
        const hashes = tiles.find(t => t.level === level && t.n === n)?.hashes.subarray(0, width * hashBytes)
        return { level, n, width, hashes: hashes ?? Buffer.alloc(0) }
      }),
    )
    await sql('audit_entry').where('idx', '>=', kept).delete()
    await sql('audit_checkpoint').where('size', '>', kept).delete()
    await sign(sql, kept, rootOf(tree))
  }
  const sign = async (sql: Knex.Transaction, over: number, root: Buffer): Promise<void> => {
    const note = signNote(checkpointText({ origin: testOrigin, size: over, root }), log.key)
    await sql('audit_checkpoint').insert({ size: over, root, at: 1, note }).onConflict('size').merge()
  }
  /** Another history from entry `from` on: other leaves, with hashes, tiles and a checkpoint that fit them and the true signature. */
  const rewrite = async (sql: Knex.Transaction, from: number, to: number): Promise<void> => {
    const rows: { idx: number; leaf: string }[] = await sql('audit_entry').where('idx', '>=', from).orderBy('idx')
    await backTo(sql, from)
    const leaves = Array.from({ length: to - from }, (_, i) => {
      const leaf = rows[i % rows.length]?.leaf ?? ''
      return i === 0 ? leaf.replace('"outcome":"done"', '"outcome":"failed"') : leaf
    })
    const done = appendLeaves(await storedTree(sql, from), leafHashes(leaves))
    await storeTiles(sql, done.tiles)
    await sign(sql, to, rootOf(done.tree))
  }

  const columns = [
    'action',
    'outcome',
    'actor_kind',
    'actor_ref',
    'object_kind',
    'object_ref',
    'patient_ref',
    'room_ref',
  ] as const
  const tampers: Record<string, Tamper> = {
    'edits an entry': async sql => {
      const idx = entry()
      await sql('audit_entry')
        .where({ idx })
        .update({ leaf: changed(await leafOf(sql, idx)) })
    },
    'edits a column': sql =>
      sql('audit_entry')
        .where({ idx: entry() })
        .update({ [random.pick(columns)]: 'other' }),
    'moves an entry in time': sql => sql('audit_entry').where({ idx: entry() }).increment('at', 1),
    'edits an entry together with its hash': async sql => {
      const idx = entry()
      const leaf = changed(await leafOf(sql, idx))
      await sql('audit_entry').where({ idx }).update({ leaf })
      const n = Math.floor(idx / 256)
      const { hashes } = await sql('audit_tile').where({ level: 0, n }).first('hashes')
      leafHashes([leaf]).copy(hashes, (idx % 256) * hashBytes)
      await sql('audit_tile').where({ level: 0, n }).update({ hashes })
    },
    'deletes an entry': sql => sql('audit_entry').where({ idx: entry() }).delete(),
    'deletes an entry and closes the gap': async sql => {
      const idx = entry()
      await sql('audit_entry').where({ idx }).delete()
      await sql.raw('update audit_entry set idx = -idx where idx > ?', [idx])
      await sql.raw('update audit_entry set idx = -idx - 1 where idx < 0')
    },
    'inserts an entry': async sql => {
      const idx = entry()
      await sql.raw('update audit_entry set idx = -idx - 1 where idx >= ?', [idx])
      await sql.raw('update audit_entry set idx = -idx where idx < 0')
      const row = await sql('audit_entry')
        .where({ idx: idx + 1 })
        .first()
      await sql('audit_entry').insert({ ...row, idx, queue_id: 1_000_000 })
    },
    'adds an entry at the end': async sql => {
      const row = await sql('audit_entry').where({ idx: entry() }).first()
      await sql('audit_entry').insert({ ...row, idx: size, queue_id: 1_000_000 })
    },
    'swaps two entries': async sql => {
      const a = entry()
      const b = (a + 1 + random.int(size - 1)) % size
      await sql.raw('update audit_entry set idx = -1 where idx = ?', [a])
      await sql.raw('update audit_entry set idx = ? where idx = ?', [a, b])
      await sql.raw('update audit_entry set idx = ? where idx = -1', [b])
    },
    'cuts the end off': sql => sql('audit_entry').where('idx', '>=', entry()).delete(),
    'changes a hash': async sql => {
      const tile = random.pick(await sql('audit_tile').select())
      await sql('audit_tile')
        .where({ level: tile.level, n: tile.n })
        .update({ hashes: flipped(tile.hashes) })
    },
    'drops a tile': async sql => {
      const { level, n } = random.pick(await sql('audit_tile').select())
      await sql('audit_tile').where({ level, n }).delete()
    },
    'changes a checkpoint': async sql => {
      const row = random.pick(await sql('audit_checkpoint').select())
      const part = random.int(2) === 0 ? { root: flipped(row.root) } : { note: changed(row.note) }
      await sql('audit_checkpoint').where({ size: row.size }).update(part)
    },
    'rolls back to an earlier state': sql => backTo(sql, entry()),
    'rolls back and goes on otherwise': async sql => {
      const from = entry()
      await rewrite(sql, from, from + 1 + random.int(size - from))
    },
    'forks and outgrows what was pinned': sql => rewrite(sql, entry(), size + random.int(60)),
  }

  it('is found as whole while nobody changed it', async () => {
    expect(await findings(async () => undefined)).to.deep.equal([])
    await findings(sql => backTo(sql, 200))
    expect(await findings(async () => undefined)).to.deep.equal([])
  })

  it('may be shorter than another checkpoint, but then is not the one that was pinned', async () => {
    const earlier = (await checkpointAt(d.store.db, 300)) as StoredCheckpoint
    const sql = await d.store.db.transaction()
    await backTo(sql, 310)
    const check = (pins: StoredCheckpoint[]) => checkLog(sql, { verifiers: [log.key.verifier], pins })
    expect(await check([earlier])).to.deep.equal([])
    expect((await check([pinned])).map(f => f.code)).to.deep.equal(['rollback'])
    await sql.rollback()
  })

  for (const [what, tamper] of Object.entries(tampers))
    it(`is found out when one ${what}`, async () => {
      for (let i = 0; i < Math.ceil(rounds / Object.keys(tampers).length); i++)
        expect(await findings(tamper), what).not.to.deep.equal([])
    })
})
