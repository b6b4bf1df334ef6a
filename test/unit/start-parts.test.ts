import { expect } from 'chai'
import { startParts } from '../../core/start-parts.ts'

const part = (name: string, log: string[]) => ({ name, stop: async () => void log.push(`stop ${name}`) })

describe('a service made of parts', () => {
  it('stops them in reverse order, once, and hands on what it started with', async () => {
    const log: string[] = []
    const service = await startParts(async started => ({
      first: started(part('database', log)).name,
      second: started(part('listener', log)).name,
    }))
    expect([service.first, service.second]).to.deep.equal(['database', 'listener'])
    await service.stop()
    await service.stop()
    expect(log).to.deep.equal(['stop listener', 'stop database'])
  })

  it('leaves nothing running when a later part does not start', async () => {
    const log: string[] = []
    const failed = await startParts(async started => {
      started(part('database', log))
      started(part('inbox', log))
      throw new Error('the port is taken')
    }).catch((e: Error) => e.message)
    expect(failed).to.equal('the port is taken')
    expect(log).to.deep.equal(['stop inbox', 'stop database'])
  })
})
