import { inspect } from 'node:util'
import { expect } from 'chai'
import { pino } from 'pino'
import { logAlerts } from '../../../core/alerts.ts'
import { errorFacts, errorReason, isOutage } from '../../../core/error-facts.ts'
import { redactText } from '../../../core/log.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { sameSecret, secret } from '../../../core/secret.ts'
import { testLog } from '../../support/test-log.ts'

describe('what a log shows', () => {
  it('is never a link, a token or more than two digits of a number', () => {
    const line = redactText(
      'GET /l/7Xk2mPq9RsTuVwXyZ1234a?access_token=syt_abc&x=1 from +15550123456, id jb_0123456789',
    )
    expect(line).to.equal('GET /l/[token]?access_token=[secret]&x=1 from +…56, id jb_0123456789')
  })

  it('is never a secret, however it is printed', () => {
    const s = secret('hunter2')
    for (const shown of [String(s), `${s}`, JSON.stringify({ s }), inspect({ s }), inspect(s)]) {
      expect(shown).to.not.include('hunter2')
      expect(shown).to.include('[secret]')
    }
    expect(s.reveal()).to.equal('hunter2')
    const lines: string[] = []
    pino({}, { write: l => void lines.push(l) }).info({ s }, 'x')
    expect(lines.join()).to.not.include('hunter2')
  })

  it('tells of an error its kind, codes and place, but not the values that a database or parser quotes', () => {
    const ofDatabase = Object.assign(new Error('invalid input: "Frau Müller"'), {
      severity: 'ERROR',
      code: '22P02',
      detail: 'Failing row contains (Frau Müller)',
    })
    let ofParser: unknown
    try {
      JSON.parse('{"name": Frau Müller}')
    } catch (e) {
      ofParser = e
    }
    const wrapped = new Error('it could not be stored', { cause: ofDatabase })
    for (const e of [ofDatabase, ofParser, wrapped]) expect(JSON.stringify(errorFacts(e))).to.not.include('Müller')
    expect(errorFacts(wrapped).cause?.code).to.equal('22P02')
    expect(errorFacts(wrapped).message).to.equal('it could not be stored')
    expect(errorFacts(ofDatabase).at?.length).to.be.above(0)
    expect(errorReason(wrapped)).to.equal('Error 22P02')
    expect(errorFacts('Frau Müller')).to.deep.equal({ name: 'string' })
  })

  it('raises an alert once', () => {
    const log = testLog()
    const alert = logAlerts(log)
    for (const ref of ['$1', '$1', '$2']) alert({ code: 'event.poison', ref, sentence: 'an event was given up' })
    expect(log.problems()).to.have.lengthOf(2)
  })
})

describe('an outage', () => {
  it('is a peer that is away; a fault is not', async () => {
    const refused = await fetch('http://127.0.0.1:9/').catch(e => e)
    expect(isOutage(refused)).to.equal(true)
    expect(isOutage(Object.assign(new Error('x'), { code: '57P01' }))).to.equal(true)
    expect(isOutage(Object.assign(new Error('x'), { status: 503 }))).to.equal(true)
    expect(isOutage(new Error('x', { cause: Object.assign(new Error('y'), { code: 'ECONNRESET' }) }))).to.equal(true)
    expect(isOutage(Object.assign(new Error('x'), { code: '23505' }))).to.equal(false)
    expect(isOutage(Object.assign(new Error('x'), { status: 403 }))).to.equal(false)
    expect(isOutage(new TypeError('x is not a function'))).to.equal(false)
  })
})

describe('secrets', () => {
  it('are compared whole', () => {
    expect(sameSecret('abc', 'abc')).to.equal(true)
    expect(sameSecret('abc', 'abd')).to.equal(false)
    expect(sameSecret('abc', 'abcd')).to.equal(false)
    expect(sameSecret('', '')).to.equal(true)
  })
})

describe('metrics', () => {
  it('are counted by name and label, and a name that nobody declared is a bug', async () => {
    const metrics = createMetrics({ a_total: 'A.' })
    metrics.count('a_total', { kind: 'x"y' })
    metrics.count('a_total', { kind: 'x"y' }, 2)
    metrics.gauge('b', 'B.', async () => [{ value: 7 }])
    expect(await metrics.text()).to.equal(
      '# HELP a_total A.\n# TYPE a_total counter\na_total{kind="x\\"y"} 3\n# HELP b B.\n# TYPE b gauge\nb 7\n',
    )
    expect(() => metrics.count('c_total')).to.throw('c_total')
  })
})
