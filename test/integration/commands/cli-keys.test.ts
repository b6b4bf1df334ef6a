import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'

const program = join(import.meta.dirname, '../../../bin/wardroom.mjs')

describe('wardroom keys, from a shell', function () {
  this.timeout(120_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-keys-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const wardroom = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
    const code = await new Promise<number | null>((done, failed) => child.once('close', done).once('error', failed))
    return { code, text }
  }

  it('makes the key files for their owner alone, splits the officers’ key, and rebuilds it from enough shares', async () => {
    const made = await wardroom('keys', 'make', 'keys', '--server', 'clinic.example')
    expect(made.code, made.text).to.equal(0)
    const files = readdirSync(join(folder, 'keys'))
    expect(files).to.include.members(['sealing.json', 'keeper.json', 'recovery.json', 'audit.json'])
    for (const file of files) expect(statSync(join(folder, 'keys', file)).mode & 0o077, file).to.equal(0)

    const order = ['keys', 'split', 'keys/recovery.json', '--into', 'shares', '--need', '2', '--of', '3']
    expect((await wardroom(...order)).text).to.include('shares is no folder here')
    mkdirSync(join(folder, 'shares'))
    const split = await wardroom(...order)
    expect(split.code, split.text).to.equal(0)
    const shares = readdirSync(join(folder, 'shares')).map(name => join('shares', name))
    expect(shares).to.have.lengthOf(3)
    const { d } = JSON.parse(readFileSync(join(folder, 'keys/recovery.json'), 'utf8'))
    expect(split.text + made.text).not.to.include(d)

    const [one = '', , three = ''] = shares
    const joined = await wardroom('keys', 'join', '--to', 'again.json', one, three)
    expect(joined.code, joined.text).to.equal(0)
    expect(JSON.parse(readFileSync(join(folder, 'again.json'), 'utf8')).d).to.equal(d)
    const alone = await wardroom('keys', 'join', '--to', 'never.json', one)
    expect(alone.code).not.to.equal(0)
    expect(readdirSync(folder)).not.to.include('never.json')
  })

  it('never replaces a key, and says what is wrong in one sentence', async () => {
    await wardroom('keys', 'make', 'keys', '--server', 'clinic.example')
    const before = readFileSync(join(folder, 'keys/sealing.json'), 'utf8')
    const again = await wardroom('keys', 'make', 'keys', '--server', 'clinic.example')
    expect(again.code).not.to.equal(0)
    expect(again.text.trim().split('\n')).to.have.lengthOf(1)
    expect(again.text).to.include('is there already')
    expect(readFileSync(join(folder, 'keys/sealing.json'), 'utf8')).to.equal(before)
    expect((await wardroom('keys', 'shred')).text).to.include('wardroom keys make, split or join')
  })
})
