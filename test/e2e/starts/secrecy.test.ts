import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { browser } from '../../support/browser/chromium.ts'
import type { Clinician } from '../../support/clinician.ts'
import { descendants, inFiles, inMemory, needles } from '../../support/memory.ts'
import { birthDay, type WardroomWorld, wardroomWorld } from '../../support/worlds/wardroom.ts'

const written = 'the mole on the left shoulder has grown'
const answered = 'it itches at night since the holidays'
const phone = '+12025550161'

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Row 1: what a clinician types and what a patient types on the page is on no server: not on disk, not in a log, not in memory. */
describe('the secrecy of a care room', function () {
  this.timeout(240_000)
  let w: WardroomWorld
  let lee: Clinician

  before(async () => {
    w = await wardroomWorld()
    lee = await w.signIn('drlee')
  })
  after(async () => {
    await lee?.stop()
    await w?.stop()
  })

  it('keeps every word off every server: files of the databases, media, logs, and the memory of all processes', async () => {
    const { room } = await w.enrol(lee, await w.chatOf(lee), { phone, name: 'Rosalinda Quintanilla' })
    await lee.send(room, written)
    const page = await (await browser()).newPage()
    await page.goto(await w.link(phone))
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByLabel('Month').fill(birthDay.month)
    await page.getByLabel('Day').fill(birthDay.day)
    await page.getByLabel('Year').fill(birthDay.year)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText(written).waitFor({ timeout: 60_000 })
    await page.getByLabel('Write your message').fill(answered)
    await page.getByRole('button', { name: /^Send/ }).first().click()
    await lee.waitFor(s => s.roomId === room && s.body === answered, { what: 'the answer' })

    const servers = descendants(process.pid).filter(pid => /synapse|postgres|cli\/main\.ts run/.test(commandOf(pid)))
    const names = servers.map(commandOf).join('\n')
    for (const part of ['synapse', 'postgres', 'run keeper', 'run bridge', 'run bots', 'run local'])
      expect(names).to.include(part)

    // The clinician's client lives in this process: the search must find it here, or it proves nothing.
    for (const text of [written, answered])
      expect(inMemory([process.pid], needles(text)), 'the search finds the text where it must be').to.have.lengthOf(1)
    const sought = [...needles(written), ...needles(answered)]
    expect(inFiles(w.dataDir, sought), 'files').to.deep.equal([])
    expect(inMemory(servers, sought).map(commandOf), 'memory').to.deep.equal([])
    // What a dump of the database alone would show: no name, no number.
    for (const personal of ['Rosalinda', 'Quintanilla', phone, birthDay.iso])
      expect(inFiles(`${w.dataDir}/postgres`, needles(personal)), personal.slice(0, 4)).to.deep.equal([])
    await page.close()
  })
})
