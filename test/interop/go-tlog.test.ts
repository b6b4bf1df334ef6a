import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { exportLog } from '../../audit/folder/export.ts'
import { verifyFolder } from '../../audit/folder/verify.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { checkpointText } from '../../core/tlog/checkpoint.ts'
import { leafHash } from '../../core/tlog/hash.ts'
import { encodeSigningKey } from '../../core/tlog/key.ts'
import { signNote } from '../../core/tlog/note.ts'
import { consistencyProof, inclusionProof } from '../../core/tlog/proof.ts'
import { needs } from '../support/needs.ts'
import { seededRandom } from '../support/random.ts'
import { makeLog, someEntry, someKeys } from '../support/stored-log.ts'

const run = promisify(execFile)
const random = seededRandom('go')
const keys = someKeys(random)
const entriesOf = (n: number) => Array.from({ length: n }, (_, i) => someEntry(i))
const base64 = (hashes: Uint8Array[]) => hashes.map(h => Buffer.from(h).toString('base64'))

describe('golang.org/x/mod/sumdb on an exported audit log', () => {
  let home: string
  let program: string

  before(async function () {
    this.timeout(300_000)
    const go = needs('go', 'the Go toolchain 1.24 or newer (https://go.dev/dl)')
    home = await mkdtemp(join(tmpdir(), 'wardroom-go-'))
    program = join(home, 'interop')
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
    await run(go, ['build', '-o', program, '.'], { cwd: join(import.meta.dirname, 'go'), env }).catch(cause => {
      throw new Error(`LACKING: what builds the verifier with golang.org/x/mod: ${(cause as Error).message}`, { cause })
    })
  })
  after(() => (home ? rm(home, { recursive: true, force: true }) : undefined))

  const exported = async (size: number) => {
    const log = makeLog(entriesOf(size + 5))
    const dir = join(home, `log-${size}`)
    const stored = await log.stored({
      size,
      signer: keys.current,
      handover: { from: keys.old, note: await log.checkpoint(Math.ceil(size / 3), keys.old, keys.current) },
      cosigned: await log.cosigned(Math.ceil(size / 2), keys.current, keys.witness),
    })
    await rm(dir, { recursive: true, force: true })
    const done = await exportLog(stored, dir)
    if (isRefusal(done)) throw new Error(done.sentence)
    const against = join(home, `against-${size}`)
    await writeFile(against, await log.checkpoint(size - random.int(Math.ceil(size / 2)), keys.current))
    const at = Array.from({ length: 40 }, () => random.int(size))
    const proofs = await Promise.all(
      at.flatMap(i => [
        inclusionProof(log.readTile, i, size).then(p => ({ kind: 'inclusion', at: i, proof: base64(p) })),
        consistencyProof(log.readTile, i + 1, size).then(p => ({ kind: 'consistency', at: i + 1, proof: base64(p) })),
      ]),
    )
    const file = join(home, `proofs-${size}.json`)
    await writeFile(file, JSON.stringify(proofs))
    return { dir, against, verify: () => run(program, ['verify', dir, against, keys.witness.verifier.vkey, file]) }
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'verified',
      (error: { stdout: string }) => error.stdout,
    )

  it('verifies tiles, entries, root, signatures, handover, cosignature and pinned checkpoint, and makes the same proofs', async function () {
    this.timeout(300_000)
    for (const size of [1, 2, 255, 256, 257, 700, 66_000]) {
      const { stdout } = await (await exported(size)).verify()
      expect(stdout).to.equal(`verified ${size} entries, 3 earlier checkpoints, 80 proofs\n`)
    }
  })

  it('finds what our own verification finds', async () => {
    const { dir, against, verify } = await exported(300)
    const change = async (path: string, from: string, to: string) => {
      const bytes = await readFile(join(dir, path), 'latin1')
      expect(bytes).to.include(from)
      await writeFile(join(dir, path), bytes.replace(from, to), 'latin1')
      const told = await failure(verify())
      const verdict = await verifyFolder(dir, { against: await readFile(against, 'utf8') })
      await writeFile(join(dir, path), bytes, 'latin1')
      expect(isRefusal(verdict) || verdict.holds, path).to.equal(false)
      return told
    }
    expect(await change('tile/entries/001.p/44', '"id":260,', '"id":261,')).to.include('the root over the entries is')
    expect(await change('entries.jsonl', '"id":260,', '"id":261,')).to.include('entries.jsonl')
    expect(
      await change('tile/0/000', leafHash(someEntry(7)).toString('latin1'), leafHash('other').toString('latin1')),
    ).not.to.equal('verified')
    expect(await change('checkpoint', '\n300\n', '\n299\n')).to.include('invalid signature')
    expect(await change('handover/1', '\n100\n', '\n101\n')).to.include('invalid signature')
  })

  it('signs with our key what we sign with it', () => {
    const text = checkpointText({ origin: 'ward.example/audit', size: 300, root: leafHash('root') })
    const signed = spawnSync(program, ['sign', encodeSigningKey(keys.current)], { input: text, encoding: 'utf8' })
    expect(signed.stdout).to.equal(signNote(text, keys.current))
  })
})
