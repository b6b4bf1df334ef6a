import { appendFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../../support/eventually.ts'
import { sinkSuite, upTo } from '../../support/worlds/sink-suite.ts'
import type { SinkWorld } from '../../support/worlds/sink-world.ts'

describe('audit sinks that write files', function () {
  this.timeout(120_000)
  const { world } = sinkSuite()
  let w: SinkWorld
  beforeEach(() => {
    w = world()
  })

  const lines = async (file: string) => (await readFile(join(w.folder, file), 'utf8')).split('\n')

  it('has a file for each day, readable by its owner only, which ends with a whole line', async () => {
    const { clock } = w.db.store
    clock.freeze(Date.parse('2026-11-20T23:59:00Z'))
    await w.write(3)
    clock.freeze(Date.parse('2026-11-21T00:01:00Z'))
    await w.write(3)
    await w.add('jsonl', 'audit')
    await w.start()
    await w.sent()
    expect((await readdir(w.folder)).sort()).to.deep.equal(['audit-2026-11-20.jsonl', 'audit-2026-11-21.jsonl'])
    const first = await lines('audit-2026-11-20.jsonl')
    expect(first.pop()).to.equal('')
    expect(first.map(l => (JSON.parse(l) as { idx: number }).idx)).to.deep.equal([0, 1, 2])
    expect((await stat(join(w.folder, 'audit-2026-11-20.jsonl'))).mode & 0o777).to.equal(0o600)
  })

  it('mends a torn last line at its start, whatever its length, and begins a CSV file with its head once', async () => {
    w.db.store.clock.freeze(Date.parse('2026-11-21T10:00:00Z'))
    await w.write(2)
    await w.add('csv', 'audit')
    const first = await w.start()
    await w.sent()
    await first.stop()
    await appendFile(join(w.folder, 'audit-2026-11-21.csv'), `"torn","3${'x'.repeat(200_000)}`)
    await w.write(2)
    await w.start()
    await w.sent()
    const written = await lines('audit-2026-11-21.csv')
    expect(written.pop()).to.equal('')
    expect(written.map(l => l.split(',')[0])).to.deep.equal(['idx', ...upTo(5).map(i => `"${i}"`)])
  })

  it('follows no symbolic link', async () => {
    w.db.store.clock.freeze(Date.parse('2026-11-21T10:00:00Z'))
    await mkdir(w.folder, { recursive: true })
    await writeFile(join(w.folder, 'elsewhere'), 'precious')
    await symlink(join(w.folder, 'elsewhere'), join(w.folder, 'audit-2026-11-21.jsonl'))
    await w.write(1)
    await w.add('jsonl', 'audit')
    await w.start()
    await eventually(async () => (await w.health()).lastErrorCode === 'eloop')
    expect(await readFile(join(w.folder, 'elsewhere'), 'utf8')).to.equal('precious')
  })
})
