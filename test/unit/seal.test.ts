import { expect } from 'chai'
import fc from 'fast-check'
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { generateKeys } from '../../core/keys.ts'
import { createSeal, openK, sealK, wrapForBrowser } from '../../core/seal.ts'
import { seed, seededRandom } from '../support/random.ts'

const random = seededRandom('seal')
const thrown = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was thrown',
    (e: Error) => e.message,
  )

describe('the seal', () => {
  it('opens what it closed, whatever the text', async () => {
    const { sealing } = await generateKeys(random)
    const seal = createSeal(sealing)
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async text => {
        const closed = await seal.close('t.c', text)
        expect(await seal.open('t.c', closed)).to.equal(text)
        if (text.length > 8) expect(closed).to.not.include(text)
      }),
      { seed, numRuns: 50 },
    )
  })

  it('closes the same text differently each time, and opens under its own column only', async () => {
    const seal = createSeal((await generateKeys(random)).sealing)
    const closed = await seal.close('persons.phone', '+15550100')
    expect(await seal.close('persons.phone', '+15550100')).to.not.equal(closed)
    expect(await thrown(seal.open('persons.dob', closed))).to.include('sealed for persons.phone')
  })

  it('refuses what was tampered with, in every part', async () => {
    const seal = createSeal((await generateKeys(random)).sealing)
    const parts = (await seal.close('t.c', 'hello')).split('.')
    for (const [i, part] of parts.entries()) {
      if (part === '') continue
      const other = part[0] === 'A' ? 'B' : 'A'
      const forged = parts.map((p, k) => (k === i ? other + p.slice(1) : p)).join('.')
      expect(await thrown(seal.open('t.c', forged)), `part ${i}`).to.not.equal('nothing was thrown')
    }
  })

  it('opens with a retired key after rotation, and names the key that is missing', async () => {
    const { sealing } = await generateKeys(random)
    const old = await createSeal(sealing).close('t.c', 'hello')
    const column2 = Buffer.from(random.bytes(32)).toString('base64url')
    const rotated = createSeal({
      ...sealing,
      current: 'column-2',
      columns: { ...sealing.columns, 'column-2': column2 },
    })
    expect(await rotated.open('t.c', old)).to.equal('hello')
    const gone = createSeal({ ...sealing, current: 'column-2', columns: { 'column-2': column2 } })
    expect(await thrown(gone.open('t.c', old))).to.include('column-1')
    expect(await gone.open('t.c', await rotated.close('t.c', 'new'))).to.equal('new')
  })

  it('does not start with keys that are missing or short', async () => {
    const { sealing } = await generateKeys(random)
    expect(() => createSeal({ ...sealing, current: 'nowhere' })).to.throw('nowhere')
    expect(() => createSeal({ ...sealing, columns: { 'column-1': 'c2hvcnQ' } })).to.throw('32 bytes')
  })

  it('looks up equal values by a keyed hash that differs by column and key', async () => {
    const seal = createSeal((await generateKeys(random)).sealing)
    const other = createSeal((await generateKeys(random)).sealing)
    expect(seal.lookup('phone', '+15550100'))
      .to.match(/^[0-9a-f]{64}$/)
      .and.equal(seal.lookup('phone', '+15550100'))
    expect(seal.lookup('phone', '+15550100')).to.not.equal(seal.lookup('fax', '+15550100'))
    expect(seal.lookup('phone', '+15550100')).to.not.equal(other.lookup('phone', '+15550100'))
  })
})

describe('a sealed K', () => {
  it('is opened by the keeper or by the officers, for its own ghost only', async () => {
    const keys = await generateKeys(random)
    const k = random.bytes(32)
    const sealed = await sealK(keys.sealing, '@p_1:test', k)
    expect(await openK(keys.keeper, '@p_1:test', sealed)).to.deep.equal(k)
    expect(await openK(keys.recovery, '@p_1:test', sealed)).to.deep.equal(k)
    expect(await thrown(openK(keys.keeper, '@p_2:test', sealed))).to.include('another ghost')
    const others = await generateKeys(random)
    expect(await thrown(openK(others.keeper, '@p_1:test', sealed))).to.not.equal('nothing was thrown')
    expect(sealed).to.not.include(Buffer.from(k).toString('base64url'))
  })

  it('reaches a browser under the key that the browser made', async () => {
    const browser = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    const k = random.bytes(32)
    const wrapped = await wrapForBrowser(k, await exportJWK(browser.publicKey))
    expect((await compactDecrypt(wrapped, browser.privateKey)).plaintext).to.deep.equal(k)
  })
})
