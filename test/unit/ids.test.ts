import { expect } from 'chai'
import fc from 'fast-check'
import { base32, base58Token, newId } from '../../core/domain/ids.ts'
import { permits, type Role, roles } from '../../core/domain/roles.ts'
import { seed, seededRandom } from '../support/random.ts'

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('ids', () => {
  it('make a link token of 22 letters and digits from 16 bytes, different for different bytes', () => {
    fc.assert(
      fc.property(bytes16, bytes16, (a, b) => {
        expect(base58Token(a)).to.match(/^[1-9A-HJ-NP-Za-km-z]{22}$/)
        const same = Buffer.compare(a, b) === 0
        expect(base58Token(a) === base58Token(b)).to.equal(same)
      }),
      { seed },
    )
    expect(base58Token(new Uint8Array(16))).to.equal('1'.repeat(22))
    expect(base58Token(new Uint8Array(16).fill(255))).to.match(/^[1-9A-HJ-NP-Za-km-z]{22}$/)
  })

  it('carry their kind and 80 random bits without letters that are misread aloud', () => {
    const random = seededRandom('ids')
    const made = new Set(Array.from({ length: 2000 }, () => newId('pt', random)))
    expect(made.size).to.equal(2000)
    for (const id of made) expect(id).to.match(/^pt_[0-9a-hjkmnp-tv-z]{16}$/)
    expect(base32(new Uint8Array([0, 31, 32, 255]))).to.equal('0z0z')
  })
})

describe('roles', () => {
  it('let a supervisor do what clinicians and the desk do, and nobody else', () => {
    const may = (held: Role[], needs: Role[]) => permits(held, needs)
    expect(may(['supervisor'], ['clinician'])).to.equal(true)
    expect(may(['supervisor'], ['desk'])).to.equal(true)
    expect(may(['supervisor'], ['compliance'])).to.equal(false)
    expect(may(['admin'], ['clinician'])).to.equal(false)
    expect(may(['admin'], ['desk', 'supervisor'])).to.equal(false)
    expect(may(['clinician'], ['supervisor'])).to.equal(false)
    expect(may(['desk', 'compliance'], ['compliance'])).to.equal(true)
  })

  it('permit nothing to somebody without a role, except what needs none', () => {
    for (const role of roles) expect(permits([], [role])).to.equal(false)
    expect(permits([], 'anyone')).to.equal(true)
    expect(permits(['admin'], [])).to.equal(false)
  })
})
