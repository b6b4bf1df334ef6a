import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { exportLog } from '../../audit/folder/export.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { needs } from '../support/needs.ts'
import { seededRandom } from '../support/random.ts'
import { makeLog, someEntry, someKeys } from '../support/stored-log.ts'

const keys = someKeys(seededRandom('script'))
const entriesOf = (n: number) => Array.from({ length: n }, (_, i) => someEntry(i))

describe('the Python script in docs/audit-verification.md', () => {
  let home: string
  let python: string

  before(async () => {
    python = needs('python3', 'Python 3.9 or newer')
    needs('openssl', 'OpenSSL 3')
    home = await mkdtemp(join(tmpdir(), 'wardroom-script-'))
    const guide = await readFile(join(import.meta.dirname, '../../docs/audit-verification.md'), 'utf8')
    await writeFile(join(home, 'verify.py'), /```python\n(.*?)```/s.exec(guide)?.[1] ?? '')
  })
  after(() => (home ? rm(home, { recursive: true, force: true }) : undefined))

  const verify = (dir: string, ...against: string[]): string => {
    const done = spawnSync(python, [join(home, 'verify.py'), dir, ...against], { encoding: 'utf8' })
    return `${done.status} ${done.stdout}${done.stderr}`
  }
  const write = async (size: number, first = 0) => {
    const log = makeLog(entriesOf(size))
    const handover = { from: keys.old, note: await log.checkpoint(Math.floor(size / 2), keys.old, keys.current) }
    const dir = join(home, 'log')
    await rm(dir, { recursive: true, force: true })
    const done = await exportLog(await log.stored({ signer: keys.current, handover, first }), dir)
    if (isRefusal(done)) throw new Error(done.sentence)
    const against = join(home, 'against')
    await writeFile(against, await log.checkpoint(size - 1, keys.current))
    return { dir, against }
  }

  it('verifies whole and pruned logs against a checkpoint from elsewhere', async function () {
    this.timeout(120_000)
    for (const [size, first] of [
      [2, 0],
      [300, 0],
      [1000, 600],
      [66_000, 65_700],
    ] as const) {
      const { dir, against } = await write(size, first)
      const said = verify(dir, against)
      expect(said, `${size} entries`).to.match(/^0 /).and.include(`VERIFIED: ${size} entries, root `)
    }
  })

  it('finds a changed entry, a changed checkpoint, a wrong handover and a fork', async () => {
    const { dir, against } = await write(300)
    const changed = async (file: string, from: string, to: string) => {
      const text = await readFile(file, 'utf8')
      await writeFile(file, text.replace(from, to))
      const said = verify(dir, against)
      await writeFile(file, text)
      return said
    }
    expect(await changed(join(dir, 'entries.jsonl'), '"id":17,', '"id":71,')).to.match(
      /^1 NOT VERIFIED: the first 150 entries/,
    )
    expect(await changed(join(dir, 'entries.jsonl'), '"id":297,', '"id":1,')).to.match(
      /^1 NOT VERIFIED: the first 299 entries/,
    )
    expect(await changed(join(dir, 'checkpoint'), '\n300\n', '\n301\n')).to.match(
      /^1 NOT VERIFIED: .* is not signed by/,
    )
    expect(await changed(join(dir, 'handover/1'), '\n150\n', '\n151\n')).to.match(
      /^1 NOT VERIFIED: .* is not signed by/,
    )
    const longer = makeLog(entriesOf(320))
    await writeFile(against, await longer.checkpoint(320, keys.current))
    expect(verify(dir, against)).to.match(/^1 NOT VERIFIED: .* was cut or rolled back/)
    await writeFile(against, await longer.checkpoint(200, keys.old))
    expect(verify(dir, against)).to.match(
      /^1 NOT VERIFIED: .* was signed with a key that was handed over at 150 entries/,
    )
    await writeFile(against, await makeLog([...entriesOf(199), someEntry(9)]).checkpoint(200, keys.current))
    expect(verify(dir, against)).to.match(/^1 NOT VERIFIED: the first 200 entries/)
    expect(verify(dir)).to.match(/^0 VERIFIED/)
  })
})
