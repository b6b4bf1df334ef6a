import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { readRecipients } from '../../core/age.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { paths } from '../../core/records/export/manifest.ts'
import { openPackage } from '../../core/records/export/package-writer.ts'
import { readPackage } from '../../core/records/export/read-package.ts'
import { needs } from '../support/needs.ts'
import { seededRandom } from '../support/random.ts'

const random = seededRandom('age')
/** Around what age encrypts at a time (64 kB) and what tar writes at a time (512 bytes). */
const sizes = [0, 1, 511, 512, 65_535, 65_536, 65_537, 3_000_000]

describe('age on the package of an export', () => {
  let home: string
  let age: string

  before(async () => {
    age = needs('age', 'age 1.0 or newer (Debian: apt-get install age; https://age-encryption.org)')
    needs('age-keygen', 'which comes with age')
    needs('jq', 'jq 1.6 or newer (Debian: apt-get install jq)')
    needs('tar', 'tar')
    needs('sha256sum', 'GNU coreutils')
    home = await mkdtemp(join(tmpdir(), 'wardroom-age-'))
  })
  after(() => (home ? rm(home, { recursive: true, force: true }) : undefined))

  /** A pair by age-keygen, as docs/export.md tells recipients to make it. */
  const keygen = async (name: string) => {
    const file = join(home, name)
    execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' })
    const text = await readFile(file, 'utf8')
    const recipients = readRecipients(/^# public key: (\S+)$/m.exec(text)?.[1] ?? '')
    if (isRefusal(recipients)) throw new Error(recipients.sentence)
    return { file, recipient: recipients[0] ?? '', identity: /^AGE-SECRET-KEY-\S+$/m.exec(text)?.[0] ?? '' }
  }
  /** As a run of an export writes it: files, and the manifest over them last. */
  const written = async (file: string, recipients: readonly string[]) => {
    const out = await openPackage(file, { recipients, at: new Date('2026-11-22') })
    const files = []
    for (const size of sizes) files.push(await out.add(`media/${size}.bin`, random.bytes(size)))
    files.push(await out.add(paths.messages, '{"content":{"body":"größer als 38,5 °C"}}\n'))
    await out.add(paths.manifest, JSON.stringify({ wardroom: 'export', version: 1, files }))
    return { ...(await out.finish()), files }
  }

  it('opens it by the lines in the guide, for each of its recipients, and every file is what the manifest says', async function () {
    this.timeout(60_000)
    const guide = await readFile(join(import.meta.dirname, '../../docs/export.md'), 'utf8')
    const lines = /With tools that are not ours:\n\n```\n(.*?)```/s.exec(guide)?.[1] ?? ''
    expect(lines).to.include('age -d').and.include('sha256sum -c')
    const [one, other] = [await keygen('key.txt'), await keygen('other.txt')]
    const { sha256, files } = await written(join(home, 'claim-114.age'), [one.recipient, other.recipient])
    for (const key of [one, other]) {
      const its = lines.replaceAll('key.txt', key.file)
      const done = spawnSync('bash', ['-euo', 'pipefail', '-c', its], { cwd: home, encoding: 'utf8' })
      expect(done.status, done.stderr).to.equal(0)
      expect(done.stdout.split('\n').slice(0, -1)).to.deep.equal([
        `${sha256}  claim-114.age`,
        ...files.map(f => `${f.path}: OK`),
      ])
      await rm(join(home, 'claim-114'), { recursive: true })
    }
    const stranger = await keygen('stranger.txt')
    const refused = spawnSync(age, ['-d', '-i', stranger.file, join(home, 'claim-114.age')])
    expect([refused.status, refused.stdout.length]).to.deep.equal([1, 0])
  })

  it('finds a changed byte and a cut end, as our own reading does', async function () {
    this.timeout(60_000)
    const key = await keygen('mine.txt')
    const whole = join(home, 'whole.age')
    const { bytes } = await written(whole, [key.recipient])
    const good = await readFile(whole)
    const bad = join(home, 'bad.age')
    const changes = [
      ...Array.from({ length: 5 }, () => random.int(bytes)).map(at => {
        const changed = Buffer.from(good)
        changed[at] = (changed[at] ?? 0) ^ 1
        return { what: `byte ${at} of ${bytes}`, changed }
      }),
      { what: 'a cut end', changed: good.subarray(0, bytes - 1 - random.int(100_000)) },
    ]
    for (const { what, changed } of changes) {
      await writeFile(bad, changed)
      expect(spawnSync(age, ['-d', '-i', key.file, '-o', '/dev/null', bad]).status, `age: ${what}`).to.equal(1)
      const read = await readPackage(bad, [key.identity], () => undefined).then(
        () => 'read',
        () => 'refused',
      )
      expect(read, `ours: ${what}`).to.equal('refused')
    }
  })

  it('writes what we read: the same tar, encrypted by age itself to one of our recipients', async function () {
    this.timeout(60_000)
    const identity = await generateX25519Identity()
    const key = await keygen('reader.txt')
    const ours = join(home, 'ours.age')
    const { files } = await written(ours, [key.recipient])
    const theirs = join(home, 'theirs.age')
    const tar = execFileSync(age, ['-d', '-i', key.file, ours], { maxBuffer: 64 * 1024 ** 2 })
    execFileSync(age, ['-r', await identityToRecipient(identity), '-o', theirs], { input: tar })
    const read = await readPackage(theirs, [identity], () => undefined)
    expect(read.files.filter(f => f.path !== paths.manifest)).to.deep.equal(files)
    const sum = createHash('sha256')
      .update(await readFile(theirs))
      .digest('hex')
    expect(read.sha256).to.equal(sum)
  })
})
