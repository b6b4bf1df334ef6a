import { existsSync } from 'node:fs'
import { appendFile, cp, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { exportLog } from '../../../audit/folder/export.ts'
import type { StoredLog } from '../../../audit/folder/stored-log.ts'
import { verifyFolder } from '../../../audit/folder/verify.ts'
import type { Verdict } from '../../../audit/folder/verify-log.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { leafHash } from '../../../core/tlog/hash.ts'
import { inclusionProof } from '../../../core/tlog/proof.ts'
import { verifyInclusion } from '../../../core/tlog/verify-proof.ts'
import { type SeededRandom, seededRandom } from '../../support/random.ts'
import { makeLog, someEntry, someKeys } from '../../support/stored-log.ts'

const random = seededRandom('audit folder')
const keys = someKeys(random)
const entriesOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => someEntry(from + i))

const verdictOf = async (dir: string, options = {}): Promise<Verdict> => {
  const verdict = await verifyFolder(dir, options)
  if (isRefusal(verdict)) throw new Error(verdict.sentence)
  return verdict
}

/** What a verification says is wrong, a line each. */
const wrongs = async (dir: string, options = {}): Promise<string[]> => {
  const verdict = await verifyFolder(dir, options)
  return isRefusal(verdict) ? [verdict.sentence] : verdict.problems.map(p => `${p.where}: ${p.what}`)
}

const filesIn = async (dir: string): Promise<string[]> => {
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
  return found
    .filter(f => f.isFile())
    .map(f => relative(dir, join(f.parentPath, f.name)))
    .sort()
}

describe('an exported audit log', () => {
  let home: string
  const entries = entriesOf(0, 300)
  const log = makeLog(entries)
  const witnesses = [keys.witness.verifier.vkey]
  /** Key handed over after 100 entries, cosigned at 250, a checkpoint pinned at 280. */
  const honest = async (size = 300): Promise<StoredLog> =>
    log.stored({
      size,
      signer: keys.current,
      handover: { from: keys.old, note: await log.checkpoint(100, keys.old, keys.current) },
      cosigned: await log.cosigned(250, keys.current, keys.witness),
    })
  const write = async (name: string, stored: StoredLog): Promise<string> => {
    const dir = join(home, name)
    await rm(dir, { recursive: true, force: true })
    const done = await exportLog(stored, dir)
    if (isRefusal(done)) throw new Error(done.sentence)
    return dir
  }

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'wardroom-folder-'))
  })
  after(() => rm(home, { recursive: true, force: true }))

  it('lies where C2SP puts it, reads as JSONL, and verifies with keys, handover, witness and a pinned checkpoint', async () => {
    const dir = await write('whole', await honest())
    expect(await filesIn(dir)).to.deep.equal([
      'checkpoint',
      'cosigned',
      'entries.jsonl',
      'handover/1',
      'tile/0/000',
      'tile/0/001.p/44',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/44',
      'vkey',
    ])
    expect(await readFile(join(dir, 'entries.jsonl'), 'utf8')).to.equal(entries.map(e => `${e}\n`).join(''))
    const against = await log.checkpoint(280, keys.current)
    const verdict = await verdictOf(dir, { against, witnesses, vkey: keys.old.verifier.vkey })
    expect(verdict).to.include({ holds: true, problemCount: 0, size: 300, first: 0, origin: 'ward.example/audit' })
    expect(verdict.keys).to.deep.equal([keys.old.verifier.vkey, keys.current.verifier.vkey])
    expect(verdict.cosigned).to.deep.equal([
      { name: 'witness.example/w1', size: 250, at: Date.parse('2026-03-01T12:00:00Z') },
    ])
    expect(verdict.against).to.deep.equal({ size: 280 })
  })

  it('verifies at every size around the edges of tiles, and empty', async () => {
    for (const size of [0, 1, 2, 255, 256, 257]) {
      const dir = await write('sizes', await log.stored({ size, signer: keys.current }))
      expect(await wrongs(dir), `${size} entries`).to.deep.equal([])
    }
  })

  it('verifies across three levels of tiles', async function () {
    this.timeout(120_000)
    const many = makeLog(entriesOf(0, 65_800))
    const dir = await write('large', await many.stored({ signer: keys.current }))
    expect(await wrongs(dir, { against: await many.checkpoint(65_536, keys.current) })).to.deep.equal([])
    await writeFile(join(dir, 'tile/1/000'), Buffer.alloc(8192))
    expect((await wrongs(dir))[0]).to.equal('tile/1/000: Its hash 0 is not the one over the entries 0 to 255.')
    await rm(join(dir, 'tile/2/000.p/1'))
    expect(await wrongs(dir)).to.include('tile/2/000.p/1: It is missing.')
  })

  it('goes on where an interrupted export stopped, also when the log has grown since', async () => {
    const dir = join(home, 'resumed')
    const failing = await honest(290)
    const broken = {
      ...failing,
      entries: (n: number, w: number) => (n > 0 ? Promise.reject(new Error('gone')) : failing.entries(n, w)),
    }
    const failed = await exportLog(broken, dir).then(
      () => '',
      (e: Error) => e.message,
    )
    expect([failed, existsSync(dir), existsSync(`${dir}.part`)]).to.deep.equal(['gone', false, true])
    const read: number[] = []
    const whole = await honest()
    const counting = {
      ...whole,
      entries: (n: number, w: number) => {
        read.push(n)
        return whole.entries(n, w)
      },
    }
    expect(await exportLog(counting, dir)).to.deep.equal({ size: 300, from: 0 })
    expect(read).to.deep.equal([1])
    expect(existsSync(`${dir}.part`)).to.equal(false)
    expect(await wrongs(dir, { witnesses })).to.deep.equal([])
    expect(await exportLog(whole, dir)).to.include({ code: 'folder-exists' })
    // What another log's export left is no beginning of this one.
    await rename(dir, `${dir}.part`)
    const other = await makeLog(entriesOf(5000, 5600)).stored({ signer: keys.current })
    expect(await exportLog(other, dir)).to.deep.equal({ size: 600, from: 0 })
    expect(await wrongs(dir)).to.deep.equal([])
  })

  it('keeps every remaining proof when the entries before an index were pruned, and says that they are not there', async () => {
    const pruning = (before: number) =>
      JSON.stringify({ v: 1, action: 'audit.prune', detail: { before, entries: before } })
    const many = makeLog([...entriesOf(0, 990), pruning(512), ...entriesOf(991, 1000)])
    const handover = { from: keys.old, note: await many.checkpoint(100, keys.old, keys.current) }
    const stored = await many.stored({ signer: keys.current, first: 600, handover })
    const kept = {
      ...stored,
      tile: (t: Parameters<StoredLog['tile']>[0]) =>
        t.level === 0 && t.n < 2 ? Promise.reject(new Error('pruned')) : stored.tile(t),
    }
    const dir = await write('pruned', kept)
    expect(await filesIn(dir))
      .to.include('minimum-index')
      .and.not.include('tile/0/000')
    const verdict = await verdictOf(dir, { against: await many.checkpoint(700, keys.current) })
    expect(verdict).to.include({ holds: true, first: 512, size: 1000 })
    expect(verdict.unchecked).to.deep.equal(['handover/1: the entries under its last tile, before 100, were pruned.'])
    await writeFile(join(dir, 'minimum-index'), '513\n')
    expect((await wrongs(dir)).join()).to.include('not a multiple of 256')
    await writeFile(join(dir, 'minimum-index'), '768\n')
    expect((await wrongs(dir)).join()).to.include(
      'minimum-index: No entry says that the entries before 768 were pruned.',
    )
    expect((await wrongs(dir)).join())
      .to.include('entries.jsonl: Line 1')
      .and.include('tile/entries/002: It does not belong')
  })

  it('says clearly what is wrong, and where', async () => {
    const changed = async (path: string, change: (file: string, dir: string) => Promise<unknown>, options = {}) => {
      const dir = await write('changed', await honest())
      await change(join(dir, path), dir)
      return wrongs(dir, options)
    }
    const replace = (from: string, to: string) => async (file: string) =>
      writeFile(file, (await readFile(file, 'latin1')).replace(from, to), 'latin1')
    expect((await changed('tile/entries/000', replace('"id":17,', '"id":71,')))[0]).to.equal(
      'tile/entries/000: Entry 17 is not the one whose hash tile/0/000 has.',
    )
    expect(await changed('entries.jsonl', replace('"id":299,', '"id":298,'))).to.deep.equal([
      'entries.jsonl: Line 300: It is not entry 299 of the log.',
    ])
    expect(await changed('entries.jsonl', file => appendFile(file, '{}\n'))).to.deep.equal([
      'entries.jsonl: Line 301: There are more lines than entries.',
    ])
    expect(await changed('tile/1/000.p/1', file => rm(file))).to.deep.equal(['tile/1/000.p/1: It is missing.'])
    expect(
      await changed('tile/0/000.p/9', (_f, dir) => cp(join(dir, 'tile/0/000'), join(dir, 'tile/0/002'))),
    ).to.deep.equal(['tile/0/002: It does not belong to a log of 300 entries.'])
    expect((await changed('checkpoint', replace('\n300\n', '\n301\n')))[0]).to.include('does not belong to this text')
    expect(await changed('handover/1', file => rm(file))).to.include(
      `handover/1: Key ${keys.current.verifier.id} was never introduced by the key before it.`,
    )
    expect(await changed('handover/1', async f => writeFile(f, await log.checkpoint(100, keys.current)))).to.deep.equal(
      [`handover/1: It is not signed by both ${keys.old.verifier.id} and ${keys.current.verifier.id}.`],
    )
    expect(await changed('checkpoint', async f => writeFile(f, await log.checkpoint(300, keys.old)))).to.deep.equal([
      `checkpoint: It was signed with key ${keys.old.verifier.id} at 300 entries, when that was not the log's key.`,
    ])
    expect(
      await changed('vkey', async f => writeFile(f, `${keys.current.verifier.vkey}\n`), {
        vkey: keys.old.verifier.vkey,
      }),
    ).to.include(`vkey: The first key is not the one that was expected, ${keys.old.verifier.vkey}.`)
    expect(await changed('cosigned', file => rm(file), { witnesses })).to.deep.equal([
      'checkpoint: witness.example/w1 has not cosigned it.',
    ])
    const later = await makeLog([...entries, ...entriesOf(300, 320)]).checkpoint(320, keys.current)
    expect(await changed('vkey', async () => undefined, { against: later })).to.deep.equal([
      'against: It is over 320 entries, but the log has only 300: it was cut or rolled back.',
    ])
    const other = await makeLog([...entriesOf(0, 279), someEntry(999)]).checkpoint(280, keys.current)
    expect((await changed('vkey', async () => undefined, { against: other }))[0]).to.match(
      /^against: The root over the first 280 entries is /,
    )
    expect(await wrongs(join(home, 'nowhere'))).to.deep.equal([
      `${join(home, 'nowhere')} is not an exported log: it has no file checkpoint.`,
    ])
  })

  it('finds every tampering, by one who has the log’s key as well, against a checkpoint that was pinned elsewhere', async function () {
    const rounds = process.env.WARDROOM_LONG === '1' ? 100_000 : 2000
    this.timeout(rounds * 100)
    const pinned = 280
    const against = await log.checkpoint(pinned, keys.current)
    const clean = await write('clean', await honest())
    const files = await filesIn(clean)
    const original = new Map(await Promise.all(files.map(async f => [f, await readFile(join(clean, f))] as const)))

    /** Without the key: one file is changed. Says what was done. */
    const change = async (dir: string, r: SeededRandom): Promise<string> => {
      const path = r.pick(files)
      const file = join(dir, path)
      const bytes = Buffer.from(original.get(path)!)
      const at = r.int(bytes.length)
      const kind = r.pick(['flip', 'flip', 'cut', 'remove', 'grow', 'swap', 'move'])
      const others = files.filter(f => !original.get(f)!.equals(bytes))
      if (kind === 'flip') bytes[at]! ^= 1 << r.int(8)
      if (kind === 'flip') await writeFile(file, bytes)
      if (kind === 'cut') await truncate(file, at)
      if (kind === 'remove') await rm(file)
      if (kind === 'grow') await appendFile(file, r.bytes(1 + r.int(40)))
      if (kind === 'swap') await writeFile(file, original.get(r.pick(others))!)
      if (kind === 'move') await rename(file, `${file}x`)
      return `${kind} ${path} at ${at}`
    }
    const restore = async (dir: string, path: string): Promise<void> => {
      await writeFile(join(dir, path), original.get(path)!)
      await rm(join(dir, `${path}x`), { force: true })
    }

    /** With the key: another history before the pinned checkpoint, with tiles, root and signature that fit it. Says what was done. */
    const rewrite = async (name: string, r: SeededRandom): Promise<string> => {
      const history = [...entries]
      const at = r.int(pinned - 1)
      const kind = r.pick(['edit', 'delete', 'insert', 'reorder', 'truncate', 'roll back', 'fork'])
      if (kind === 'edit') history[at] = someEntry(1000 + at)
      if (kind === 'delete') history.splice(at, 1)
      if (kind === 'insert') history.splice(at, 0, someEntry(1000 + at))
      if (kind === 'reorder') [history[at], history[at + 1]] = [history[at + 1]!, history[at]!]
      if (kind === 'truncate') history.length = at
      if (kind === 'fork') history.splice(at, history.length, ...entriesOf(2000, 2001 + r.int(400)))
      // Rolled back, the folder is what it honestly was once. The others cannot have the handover signed again, and begin with the key that they hold.
      const size = 250 + r.int(pinned - 250)
      await write(
        name,
        kind === 'roll back' ? await honest(size) : await makeLog(history).stored({ signer: keys.current }),
      )
      return `${kind} at ${at}, ${size}`
    }

    const missed: string[] = []
    const lane = async (n: number, of: number): Promise<void> => {
      const r = seededRandom(`tampering ${n}`)
      const name = `tampered-${n}`
      const dir = await write(name, await honest())
      for (let i = n; i < rounds; i += of) {
        const forged = r.int(8) === 0
        const what = forged ? await rewrite(name, r) : await change(dir, r)
        // One who rewrites history asks no witness: there the pin alone must tell.
        if ((await wrongs(dir, forged ? { against } : { against, witnesses })).length === 0) missed.push(what)
        if (forged) await write(name, await honest())
        else await restore(dir, what.split(' ')[1]!)
      }
      expect(await wrongs(dir, { against, witnesses })).to.deep.equal([])
    }
    await Promise.all([0, 1, 2, 3].map(n => lane(n, 4)))
    expect(missed).to.deep.equal([])
  })

  it('holds what a proof of inclusion needs', async () => {
    const root = (await verdictOf(await write('proofs', await honest()))).root
    const proof = await inclusionProof(log.readTile, 260, 300)
    expect(
      verifyInclusion({ size: 300, root: Buffer.from(root, 'hex') }, 260, leafHash(entries[260]!), proof),
    ).to.equal(true)
  })
})
