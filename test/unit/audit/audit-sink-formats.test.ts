import { expect } from 'chai'
import fc from 'fast-check'
import { csvCell, csvHead, csvLine } from '../../../audit/sinks/formats/csv.ts'
import { asciiJson, exported, jsonLine } from '../../../audit/sinks/formats/json.ts'
import { framed, syslogMessage } from '../../../audit/sinks/formats/syslog.ts'
import type { Entry, SinkEnv } from '../../../audit/sinks/sink.ts'
import { anyRecord, hostile } from '../../support/audit/records.ts'
import { seed } from '../../support/random.ts'
import { readFrames } from '../../support/receivers/frames.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 10_000 : 300 }
const env: SinkEnv = {
  folder: '/nowhere',
  context: { site: 'clinic.example', url: 'https://chat.clinic.example', version: '0.1.0' },
}
const entry = (record: Entry['record']): Entry => ({ record, subjects: new Map() })
/** As JSON keeps it: what is undefined is gone. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** A strict reader of RFC 4180 lines whose every cell is quoted. */
const readCsv = (line: string): string[] => {
  expect(line).to.match(/^"(?:[^"\r\n]|"")*"(?:,"(?:[^"\r\n]|"")*")*$/)
  return [...line.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(m => (m[1] ?? '').replaceAll('""', '"'))
}
/** What a cell says: the apostrophe off, escapes undone. */
const readCell = (cell: string): string =>
  cell
    .replace(/^'/, '')
    .replace(/\\(\\|u[0-9a-f]{4})/g, (_, e: string) =>
      e === '\\' ? '\\' : String.fromCharCode(Number.parseInt(e.slice(1), 16)),
    )

const message5424 =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) wardroom - ([!-~]{1,32}) ((?:\[[!-<>-\\^-~]{1,32}(?: [!-<>-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+) ([^\r\n\0]*)$/s

describe('the formats of the sinks, whatever an entry holds', function () {
  this.timeout(process.env.WARDROOM_LONG === '1' ? 600_000 : 30_000)
  it('JSON is one line of printable ASCII that gives the entry back', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        const line = jsonLine(entry(record))
        expect(line).to.match(/^[ -~]+$/)
        expect(JSON.parse(line)).to.deep.equal(plain(exported(entry(record))))
      }),
      runs,
    )
  })

  it('CSV is one line with as many cells as the head, none of which a spreadsheet runs, and gives every value back', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        const cells = readCsv(csvLine(entry(record)))
        expect(cells).to.have.lengthOf(csvHead.split(',').length)
        for (const cell of cells) expect(cell).not.to.match(/^\s*[=+\-@＝＋－＠\t\r]/)
        const [idx, , at, kind, actor, , action] = cells.map(readCell)
        expect([idx, at, kind, actor, action]).to.deep.equal([
          String(record.idx),
          new Date(record.at).toISOString(),
          record.actor.kind,
          record.actor.ref,
          record.action,
        ])
        expect(readCell(cells[14] ?? '')).to.equal(record.detail ? asciiJson(record.detail) : '')
      }),
      runs,
    )
  })

  it('a cell gives any text back', () => {
    fc.assert(
      fc.property(hostile, text => {
        expect(readCell(readCsv(csvCell(text))[0] ?? '')).to.equal(text)
      }),
      runs,
    )
    expect(csvCell('@ann:clinic.example')).to.equal(`"'@ann:clinic.example"`)
    expect(csvCell("'=1")).to.equal(`"''=1"`)
  })

  for (const format of ['json', 'cef'] as const)
    it(`syslog frames with ${format} are counted in octets and each hold one message of RFC 5424`, () => {
      fc.assert(
        fc.property(
          fc.array(anyRecord, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(2048, 8192),
          (records, max) => {
            const stream = Buffer.concat(records.map(r => framed(syslogMessage(entry(r), { format, max }, env))))
            const { messages, rest } = readFrames(stream)
            expect(rest).to.have.lengthOf(0)
            expect(messages).to.have.lengthOf(records.length)
            for (const [i, message] of messages.entries()) {
              expect(message.length).to.be.at.most(max)
              const [, priority, at, host, , data, body = ''] = message5424.exec(message.toString('utf8')) ?? []
              const record = records[i]
              expect([at, host]).to.deep.equal([new Date(record?.at ?? 0).toISOString(), 'clinic.example'])
              expect(Number(priority)).to.equal(104 + { done: 6, refused: 4, failed: 3 }[record?.outcome ?? 'done'])
              expect(data).to.include(`sequenceId="${(record?.idx ?? 0) + 1}"`)
              if (format === 'cef') expect(body).to.match(/^CEF:0\|/)
              else if (max === 8192) expect((JSON.parse(body) as { idx: number }).idx).to.equal(record?.idx)
            }
          },
        ),
        runs,
      )
    })

  it('a syslog message that is too long loses its details first, and says so', () => {
    const detail = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, 'x'.repeat(255)]))
    const record: Entry['record'] = {
      idx: 7,
      id: 8,
      at: 0,
      actor: { kind: 'user', ref: '@ann:clinic.example' },
      action: 'patient.view',
      object: { kind: 'patient', ref: 'r'.repeat(43) },
      outcome: 'done',
      detail,
    }
    const message = syslogMessage(entry(record), { format: 'json', max: 2048 }, env).toString()
    const body = JSON.parse(message.slice(message.indexOf('{'))) as { idx: number; detail: unknown }
    expect(body).to.deep.include({ idx: 7, detail: { shortened: true } })
    const whole = syslogMessage(entry(record), { format: 'json', max: 65_536 }, env).toString()
    expect(JSON.parse(whole.slice(whole.indexOf('{')))).to.deep.include({ detail })
  })

  it('with leave to identify, JSON and CSV say what commitments stand for', () => {
    const [record] = fc.sample(anyRecord, { seed, numRuns: 1 })
    if (!record) throw new Error('no sample')
    const subjects = new Map([['r'.repeat(43), { kind: 'patient', value: 'pt_1' }]])
    const resolved = { ['r'.repeat(43)]: { kind: 'patient', value: 'pt_1' } }
    expect(JSON.parse(jsonLine({ record, subjects }))).to.deep.include({ resolved })
    expect(JSON.parse(readCell(readCsv(csvLine({ record, subjects }))[15] ?? ''))).to.deep.equal(resolved)
  })
})
