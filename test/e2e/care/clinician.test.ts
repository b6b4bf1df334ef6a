import { expect } from 'chai'
import { anotherDevice, type Clinician, clinician } from '../../support/clinician.ts'

describe('the clinician of the tests', function () {
  this.timeout(120_000)
  const running: Clinician[] = []
  const start = async (c: Promise<Clinician>) => {
    running.push(await c)
    return c
  }
  after(async () => {
    for (const c of running) await c.stop()
  })

  it('writes encrypted, is read without a warning, and shares history with a guest', async () => {
    const ann = await start(clinician('ann'))
    const bob = await start(clinician('bob'))
    const roomId = await ann.createRoom({ invite: [bob.userId] })
    await bob.join(roomId)
    const eventId = await ann.send(roomId, 'bed 4 at noon')
    const read = await bob.waitFor(s => s.eventId === eventId && s.failure === undefined && s.body !== '')
    expect(read).to.include({ body: 'bed 4 at noon', encrypted: true, sender: ann.userId })
    expect(await bob.shield(read)).to.equal('none')

    const late = await start(clinician('late'))
    await ann.invite(roomId, late.userId)
    await late.join(roomId)
    await late.client.scrollback(await late.room(roomId), 50)
    const { room } = { room: await late.room(roomId) }
    const earlier = room.findEventById(eventId)
    expect(earlier?.getContent().body).to.equal('bed 4 at noon')
  })

  it('sends an image that only members can open, reacts and redacts', async () => {
    const [ann, bob] = [running[0] as Clinician, running[1] as Clinician]
    const roomId = await ann.createRoom({ invite: [bob.userId] })
    await bob.join(roomId)
    const bytes = new Uint8Array([1, 2, 3, 4, 5])
    const eventId = await ann.sendImage(roomId, bytes, { name: 'wound.png', mimetype: 'image/png' })
    const image = await bob.waitFor(s => s.eventId === eventId && s.content.file !== undefined)
    expect(await bob.download(image)).to.deep.equal(bytes)
    await bob.react(roomId, eventId, '👍')
    await ann.waitFor(s => s.reaction === '👍' && s.relatesTo === eventId)
    await ann.redact(roomId, eventId)
    await bob.waitFor(s => s.eventId === eventId && s.redacted)
  })

  it('does not read a room while offline and decrypts afterwards', async () => {
    const [ann, bob] = [running[0] as Clinician, running[1] as Clinician]
    const roomId = await ann.createRoom({ invite: [bob.userId] })
    await bob.join(roomId)
    bob.network.offline = true
    const eventId = await ann.send(roomId, 'are you there')
    bob.network.offline = false
    const seen = await bob.waitFor(s => s.eventId === eventId && s.body === 'are you there', { timeout: 60_000 })
    expect(await bob.shield(seen)).to.equal('none')
  })

  it('signs a second device of the same account with its recovery key', async () => {
    const [ann, bob] = [running[0] as Clinician, running[1] as Clinician]
    const tablet = await start(anotherDevice(ann))
    const roomId = await bob.createRoom({ invite: [ann.userId] })
    await tablet.room(roomId)
    const eventId = await bob.send(roomId, 'on both')
    await tablet.waitFor(s => s.eventId === eventId && s.body === 'on both')
    await ann.waitFor(s => s.eventId === eventId && s.body === 'on both')
  })
})
