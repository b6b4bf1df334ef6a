import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { addSink } from '../../../core/store/sinks/sinks.ts'
import { transact } from '../../../core/store/tx.ts'
import { startExporter } from '../../support/audit/exporter.ts'
import { testAuthority } from '../../support/certificates.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { type Siem, siem } from '../../support/receivers/siem.ts'
import { type SyslogReceiver, syslogReceiver } from '../../support/receivers/syslog.ts'
import { type SinkWorld, sinkWorld } from '../../support/worlds/sink-world.ts'

const kills = process.env.WARDROOM_LONG === '1' ? 100 : 6
const token = 'token'
const by = { kind: 'user' as const, id: '@ada:clinic.example' }

describe('an exporter that is killed while it exports', function () {
  this.timeout(60_000 + kills * 6000)
  const random = seededRandom('audit-sinks-kill')
  let w: SinkWorld
  const web: Record<'splunk' | 'elastic' | 'fhir' | 'http', Siem | undefined> = {
    splunk: undefined,
    elastic: undefined,
    fhir: undefined,
    http: undefined,
  }
  let logHost: SyslogReceiver | undefined

  before(async () => {
    w = await sinkWorld()
    const authority = testAuthority()
    logHost = await syslogReceiver(authority.issue(['localhost']))
    await mkdir(join(w.folder, 'tls'), { recursive: true })
    await writeFile(join(w.folder, 'tls', 'ca.pem'), authority.ca)
    const add = async (type: string, target: string, options: Record<string, string>) => {
      const sink = { name: type, type, target, options, shown: {}, identify: false }
      await transact(w.db.store, tx => addSink(tx, sink, by))
    }
    for (const kind of ['splunk', 'elastic', 'fhir', 'http'] as const) {
      const receiver = await siem(kind, token)
      web[kind] = receiver
      // One answer in eight is lost on its way back, one in eight says that it is busy.
      receiver.behave(() => {
        const dice = random.int(8)
        return dice === 0 ? { answer: 'break', after: true } : dice === 1 ? { answer: { status: 503 } } : undefined
      })
      await add(kind, receiver.url, { token, http: 'yes', ...(kind === 'elastic' ? { index: 'audit' } : {}) })
    }
    logHost.behave(() => (random.int(6) === 0 ? { breakAfter: random.int(20_000) } : 'good'))
    await add('syslog', `localhost:${logHost.port}`, { ca: 'ca.pem' })
    await add('jsonl', 'audit', {})
    await add('csv', 'audit', {})
  })
  after(async () => {
    await w.stop()
    await logHost?.stop()
    for (const receiver of Object.values(web)) await receiver?.stop()
  })

  /** Back-off is not what is tested here. */
  const hurry = () => w.db.store.db('audit_sink').where('due_at', '>', 0).update({ due_at: 0 })

  /** Entries as they lie in the files, which end with whole lines. */
  const inFiles = async (extension: string, idx: (line: string) => number): Promise<number[]> => {
    const files = (await readdir(w.folder)).filter(f => f.endsWith(`.${extension}`)).sort()
    const all: number[] = []
    for (const file of files) {
      const lines = (await readFile(join(w.folder, file), 'utf8')).split('\n')
      expect(lines.pop(), 'the end of the last line').to.equal('')
      all.push(...lines.filter(l => !l.startsWith('idx,')).map(idx))
    }
    return all
  }

  it(`at ${kills} random moments: every receiver gets everything, at least once, in order`, async () => {
    let size = 0
    for (let i = 0; i < kills; i++) {
      const exporter = await startExporter(w)
      size = await w.write(40 + random.int(300))
      await hurry()
      await pause(random.int(400)) // the moment of the kill
      await exporter.kill()
    }
    const last = await startExporter(w)
    await eventually(
      async () => {
        await hurry()
        return (await w.db.store.db('audit_sink').min({ idx: 'next_idx' }).first())?.idx === size
      },
      { timeout: 60_000, what: 'everything sent' },
    )
    await last.kill()
    const arrived = {
      splunk: web.splunk?.taken(),
      elastic: web.elastic?.taken(),
      fhir: web.fhir?.taken(),
      http: web.http?.taken(),
      syslog: logHost?.messages().map(m => Number(/sequenceId="(\d+)"/.exec(m)?.[1]) - 1),
      jsonl: await inFiles('jsonl', l => (JSON.parse(l) as { idx: number }).idx),
      csv: await inFiles('csv', l => Number(/^"(\d+)",.*"$/.exec(l)?.[1])),
    }
    const everything = Array.from({ length: size }, (_, i) => i).join()
    for (const [sink, taken = []] of Object.entries(arrived)) {
      expect([...new Set(taken)].join(), `${sink}: nothing missing, first arrivals in order`).to.equal(everything)
      // A repeat goes back and runs on in order; it never jumps ahead.
      for (const [i, idx] of taken.entries())
        if (i > 0) expect(idx, `${sink} at ${i}`).to.be.at.most((taken[i - 1] ?? 0) + 1)
    }
    expect(web.elastic?.taken(), 'no document twice').to.have.lengthOf(size)
    expect(web.fhir?.stored().size, 'no resource twice').to.equal(size)
    expect(await w.db.store.db('audit_sink_dead')).to.deep.equal([])
  })
})
