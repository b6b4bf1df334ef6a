import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeWitness, openWitnessState, readTrusted, readWitnessKey, trust } from '../../../audit/witness/folder.ts'
import { startWitness } from '../../../audit/witness/server.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'
import type { Listener } from '../../../core/http/listen.ts'
import { createLog } from '../../../core/log.ts'
import { encodeAddCheckpoint, parseAddCheckpoint } from '../../../core/tlog/add-checkpoint.ts'
import { parseVkey, type SigningKey, type VerifierKey } from '../../../core/tlog/key.ts'
import { openNote } from '../../../core/tlog/note.ts'
import { consistencyProof } from '../../../core/tlog/proof.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { makeLog, someEntry, someKeys } from '../../support/stored-log.ts'

const random = seededRandom('witness')
const keys = someKeys(random)
const clock = { now: () => Date.parse('2026-03-01T12:00:00Z') }
const entriesOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => someEntry(from + i))
const orThrow = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.sentence)
  return value
}

describe('a witness (C2SP tlog-witness)', () => {
  const log = makeLog(entriesOf(0, 600))
  const fork = makeLog([...entriesOf(0, 100), ...entriesOf(2000, 2500)])
  let home: string
  let witness: VerifierKey
  let server: Listener

  const begin = async (): Promise<Listener> =>
    startWitness({
      key: orThrow(readWitnessKey(home)),
      trusted: () => readTrusted(home),
      state: openWitnessState(home),
      clock,
      log: createLog('witness', 'fatal'),
    })
  const post = async (body: string, url = server.url) => {
    const res = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
    return { status: res.status, type: res.headers.get('content-type'), text: await res.text() }
  }
  const request = async (old: number, size: number, from = log, key: SigningKey = keys.current) =>
    encodeAddCheckpoint({
      old,
      proof: await consistencyProof(from.readTile, Math.min(old, size), size),
      note: await from.checkpoint(size, key),
    })
  const submit = async (...args: Parameters<typeof request>) => post(await request(...args))

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'wardroom-witness-'))
    witness = orThrow(parseVkey(orThrow(makeWitness(home, 'witness.example/w1', random))))
    orThrow(trust(home, keys.current.verifier.vkey))
    server = await begin()
  })
  afterEach(async () => {
    await server.stop()
    await rm(home, { recursive: true, force: true })
  })

  it('cosigns the first checkpoint, and each that continues the last; the signature verifies beside the log’s', async () => {
    const sizes = [0, 1, 255, 256, 257, 600]
    let old = 0
    for (const size of sizes) {
      const answer = await submit(old, size)
      expect([answer.status, answer.text.split(' ')[1]], `${old} → ${size}`).to.deep.equal([200, 'witness.example/w1'])
      const note = (await log.checkpoint(size, keys.current)) + answer.text
      expect(orThrow(openNote(note, [keys.current.verifier, witness])).signedBy.length).to.equal(2)
      old = size
    }
    expect((await submit(600, 600)).status).to.equal(200)
  })

  it('answers 409 with the size that it has, for a client that does not know it', async () => {
    await submit(0, 300)
    for (const [old, size] of [
      [0, 400],
      [0, 300],
      [200, 400],
      [299, 299],
    ] as const)
      expect(await submit(old, size)).to.deep.equal({ status: 409, type: 'text/x.tlog.size', text: '300\n' })
    expect((await submit(300, 400)).status).to.equal(200)
  })

  it('never cosigns a fork, a rollback or a wrong proof, and keeps what the log signed', async () => {
    await submit(0, 300)
    expect((await submit(300, 400, fork)).status).to.equal(422)
    expect((await submit(300, 300, fork)).status).to.equal(422)
    expect(await submit(0, 300, fork)).to.include({ status: 409, text: '300\n' })
    expect((await submit(300, 200)).status).to.equal(400)
    const note = await log.checkpoint(500, keys.current)
    expect((await post(encodeAddCheckpoint({ old: 300, proof: [], note }))).status).to.equal(422)
    expect((await submit(300, 500)).status).to.equal(200)
    const kept = await readdir(join(home, 'evidence'))
    expect(kept.map(name => name.split('-')[0]).sort()).to.deep.equal(['300', '400', '500'])
    expect(await readFile(join(home, 'evidence', kept.find(name => name.startsWith('400'))!), 'utf8')).to.equal(
      await fork.checkpoint(400, keys.current),
    )
  })

  it('follows only the logs that it was told to, by the keys that it was told', async () => {
    expect((await submit(0, 10, log, keys.old)).status).to.equal(403)
    const other = (await log.checkpoint(10, keys.current)).replaceAll('ward.example/audit', 'other.example/audit')
    expect((await post(`old 0\n\n${other}`)).status).to.equal(404)
    const bent = (await log.checkpoint(10, keys.current)).replace('\n10\n', '\n11\n')
    expect((await post(`old 0\n\n${bent}`)).status).to.equal(403)
    orThrow(trust(home, keys.old.verifier.vkey))
    expect((await submit(0, 10, log, keys.old)).status).to.equal(200)
    expect(trust(home, witness.vkey)).to.include({ code: 'wrong-key' })
  })

  it('refuses what is no submission, and what is too long', async () => {
    const good = await request(0, 10)
    for (const bad of [
      '',
      'old 0\n',
      good.replace('old 0', 'old 00'),
      good.replace('old 0', 'new 0'),
      good.replace('old 0\n', 'old 0\nAAAA\n'),
      good.slice(0, -1),
    ])
      expect((await post(bad)).status, JSON.stringify(bad.slice(0, 20))).to.equal(400)
    expect((await post('x'.repeat(100_000))).status).to.equal(413)
    const hashes = Array.from({ length: 64 }, () => Buffer.alloc(32))
    expect(parseAddCheckpoint(encodeAddCheckpoint({ old: 1, proof: hashes, note: '' }))).to.include({
      code: 'not-a-submission',
    })
    expect((await fetch(`${server.url}/add-checkpoint`)).status).to.equal(404)
  })

  it('cosigns one of two contradicting checkpoints that come at the same moment', async () => {
    await submit(0, 50)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => submit(50, 150 + i, i % 2 === 0 ? log : fork)),
    )
    const accepted = answers.filter(a => a.status === 200)
    expect(accepted.length).to.equal(1)
    expect(answers.filter(a => a.status === 409).length).to.equal(19)
  })

  it('serves the newest that it cosigned under the hash of the log’s name', async () => {
    const url = `${server.url}/${createHash('sha256').update('ward.example/audit').digest('hex')}/checkpoint`
    expect((await fetch(url)).status).to.equal(404)
    await submit(0, 300)
    const note = await (await fetch(url)).text()
    expect(orThrow(openNote(note, [keys.current.verifier, witness])).signedBy.length).to.equal(2)
    expect(note.split('\n')[1]).to.equal('300')
  })

  it('remembers on disk before it answers, and begins nowhere else when its memory cannot be read', async () => {
    await submit(0, 300)
    await server.stop()
    server = await begin()
    expect(await submit(0, 400)).to.include({ status: 409, text: '300\n' })
    await writeFile(join(home, 'state.json'), '{"ward.example/audit": "nothing"}')
    expect(() => openWitnessState(home)).to.throw('cannot be used')
    expect((await stat(join(home, 'key.json'))).mode & 0o777).to.equal(0o600)
    expect(makeWitness(home, 'witness.example/w1', random)).to.include({ code: 'witness-exists' })
  })

  describe('as a program of its own', () => {
    const running = new Set<ChildProcess>()
    const wardroom = (...args: string[]) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../../../cli/main.ts'), ...args], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      running.add(child)
      child.once('exit', () => running.delete(child))
      return child
    }
    const output = async (child: ChildProcess): Promise<string> => {
      let text = ''
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', d => (text += d))
      await once(child, 'close')
      return text
    }
    const serving = async (folder: string): Promise<{ child: ChildProcess; url: string }> => {
      const child = wardroom('witness', 'run', folder, '--listen', '127.0.0.1:0')
      let text = ''
      child.stdout?.on('data', d => (text += d))
      const url = await eventually(async () => /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0])
      return { child, url }
    }
    afterEach(() => {
      for (const child of running) child.kill('SIGKILL')
    })

    it('is made, told whom to follow, killed and started again without a configuration, and forgets nothing that it answered', async function () {
      this.timeout(120_000)
      const folder = join(home, 'own')
      expect(await output(wardroom('witness', 'make', folder, '--name', 'witness.example/w2'))).to.match(
        /witness\.example\/w2\+[0-9a-f]{8}\+/,
      )
      const vkeys = join(home, 'log-vkey')
      await writeFile(vkeys, `${keys.current.verifier.vkey}\n`)
      expect(await output(wardroom('witness', 'trust', folder, vkeys))).to.include('Follows ward.example/audit')
      let { child, url } = await serving(folder)
      let old = 0
      for (const size of [10, 20, 300]) {
        expect((await post(await request(old, size), url)).status).to.equal(200)
        child.kill('SIGKILL')
        await once(child, 'exit')
        ;({ child, url } = await serving(folder))
        old = size
        expect((await post(await request(0, 400), url)).text).to.equal(`${size}\n`)
      }
      expect(await output(wardroom('witness', 'run', folder))).to.include('already runs')
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      expect(code).to.equal(0)
    })
  })
})
