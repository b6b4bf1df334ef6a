import { expect } from 'chai'
import type { Exit } from '../../../cli/stack/child.ts'
import { backOffMs, type Running, supervise } from '../../../cli/start/supervise.ts'
import { eventually } from '../../support/eventually.ts'

/** A part that ends when the test says so. */
const fake = () => {
  const started: { end: () => void; stopped: boolean }[] = []
  const launch = async (): Promise<Running> => {
    let end = (_: Exit) => undefined as unknown
    const exited = new Promise<Exit>(resolve => {
      end = resolve
    })
    const one = { end: () => void end({ code: 1, signal: null }), stopped: false }
    started.push(one)
    const stop = async () => {
      one.stopped = true
      one.end()
    }
    return { pid: started.length, exited, stop }
  }
  return { started, launch }
}

describe('supervision', () => {
  it('waits longer after each quick end, up to half a minute', () => {
    expect([1, 2, 3, 4].map(backOffMs)).to.deep.equal([500, 1000, 2000, 4000])
    expect(backOffMs(50)).to.equal(30_000)
  })

  it('starts a part again that ended by itself, and says so', async () => {
    const { started, launch } = fake()
    const lines: string[] = []
    const part = await supervise({ name: 'bridge', launch, log: line => lines.push(line) })
    started[0]?.end()
    await eventually(() => started.length === 2)
    expect(lines).to.deep.equal(['bridge ended by itself (code 1); started again in 0.5 s'])
    await part.stop()
    expect(started[1]?.stopped).to.equal(true)
    expect(started).to.have.lengthOf(2)
  })

  it('stops at once also while it waits for the next start, and then starts nothing', async () => {
    const { started, launch } = fake()
    const lines: string[] = []
    const part = await supervise({ name: 'bridge', launch, log: line => lines.push(line) })
    started[0]?.end()
    await eventually(() => lines.length === 1)
    await part.stop()
    expect(started).to.have.lengthOf(1)
  })

  it('tries again when a later start fails, and hands the failure of the very first to the caller', async () => {
    const { started, launch } = fake()
    let failures = 1
    const lines: string[] = []
    const part = await supervise({
      name: 'bots',
      log: line => lines.push(line),
      launch: async () => {
        if (started.length === 1 && failures-- > 0) throw new Error('no database')
        return launch()
      },
    })
    started[0]?.end()
    await eventually(() => started.length === 2)
    expect(lines[1]).to.equal('bots did not start: no database')
    await part.stop()
    const never = supervise({ name: 'bots', log: () => undefined, launch: () => Promise.reject(new Error('no key')) })
    expect(await never.catch((error: Error) => error.message)).to.equal('no key')
  })
})
