import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { CompactEncrypt, importJWK } from 'jose'
import { parseBirthDate, partOrder, splitPasted } from '../../../web/patient/birth-date.ts'
import { brandOf, contrast } from '../../../web/patient/brand.ts'
import { openAttachment, safeType, sealAttachment } from '../../../web/patient/matrix/attachment.ts'
import { draftSeal } from '../../../web/patient/matrix/draft-seal.ts'
import { nextToSend, type Outgoing, outgoingItems, queued } from '../../../web/patient/matrix/outgoing.ts'
import { newKeyPair, unwrapKey } from '../../../web/patient/matrix/unwrap-key.ts'
import { en } from '../../../web/patient/text/en.ts'
import { es } from '../../../web/patient/text/es.ts'
import { localeOf } from '../../../web/patient/text/index.ts'
import { insideEn } from '../../../web/patient/text/inside-en.ts'
import { insideEs } from '../../../web/patient/text/inside-es.ts'
import type { Item } from '../../../web/shared/conversation/item.ts'
import { talkEn } from '../../../web/shared/conversation/text/en.ts'
import { talkEs } from '../../../web/shared/conversation/text/es.ts'
import { stepsDone } from '../../../web/tryit/steps.ts'

const now = Date.parse('2026-03-12T15:00:00Z')
const rgb = (hex: string) => [1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number]

describe('the birth date', () => {
  it('is asked in the reader’s own order', () => {
    expect(partOrder('en-US')).to.deep.equal(['month', 'day', 'year'])
    expect(partOrder('es-US')).to.deep.equal(['day', 'month', 'year'])
    expect(partOrder('en-US-u-ca-chinese')).to.deep.equal(['month', 'day', 'year'])
  })
  it('is asked in ours where the browser’s locale is none', () => {
    expect(localeOf('en', ['fr', 'en-GB', 'en-US'])).to.equal('en-GB')
    expect(localeOf('en', ['en-US@posix', 'en-AU'])).to.equal('en-AU')
    expect(localeOf('en', ['en-US@posix'])).to.equal('en-US')
    expect(localeOf('es', ['en-GB'])).to.equal('es-US')
  })
  it('is an ISO date, or a reason', () => {
    expect(parseBirthDate({ day: ' 7', month: '3', year: '1948' }, now)).to.deep.equal({ value: '1948-03-07' })
    expect(parseBirthDate({ day: '', month: '3', year: '1948' }, now)).to.deep.equal({ fault: 'missing' })
    expect(parseBirthDate({ day: '7', month: '3', year: '48' }, now)).to.deep.equal({ fault: 'missing' })
    expect(parseBirthDate({ day: '30', month: '2', year: '1948' }, now)).to.deep.equal({ fault: 'not-real' })
    expect(parseBirthDate({ day: '1', month: '1', year: '2030' }, now)).to.deep.equal({ fault: 'not-real' })
  })
  it('can be pasted whole', () => {
    expect(splitPasted('03/07/1948', ['month', 'day', 'year'])).to.deep.equal({ month: '03', day: '07', year: '1948' })
    expect(splitPasted('1948-03-07', ['day', 'month', 'year'])).to.deep.equal({ year: '1948', month: '03', day: '07' })
    expect(splitPasted('hello', ['day', 'month', 'year'])).to.equal(null)
  })
})

describe('the clinic’s colour', () => {
  it('is always dark enough under white, and light enough in the dark', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), value => {
        const brand = brandOf(`#${value.toString(16).padStart(6, '0')}`)
        return (
          contrast(rgb(brand.light), [255, 255, 255]) >= 4.5 &&
          contrast(rgb(brand.dark), [27, 35, 44]) >= 4.5 &&
          contrast(rgb(brand.dark), rgb(brand.onDark)) >= 4.5
        )
      }),
    )
  })
  it('is the default for anything that is no colour', () => {
    expect(brandOf('url(x)')).to.deep.equal(brandOf('#0b5c8a'))
  })
})

describe('the words', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'function'
      ? `function of ${value.length}`
      : Array.isArray(value)
        ? value.length
        : value && typeof value === 'object'
          ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
          : typeof value
  for (const [name, one, other] of [
    ['first screens', en, es],
    ['inside', insideEn, insideEs],
    ['conversation', talkEn, talkEs],
  ] as const)
    it(`are complete in both languages: ${name}`, () => {
      expect(shape(other)).to.deep.equal(shape(one))
      expect(JSON.stringify(other)).to.not.match(/""/)
    })
})

describe('K on its way to the browser', () => {
  it('opens what the keeper wraps, and nothing that was changed or meant for another browser', async () => {
    const k = crypto.getRandomValues(new Uint8Array(32))
    const { privateKey, publicKey } = await newKeyPair()
    const header = { alg: 'ECDH-ES', enc: 'A256GCM' } as const
    const jwe = await new CompactEncrypt(k).setProtectedHeader(header).encrypt(await importJWK(publicKey, 'ECDH-ES'))
    expect(await unwrapKey(jwe, privateKey)).to.deep.equal(k)
    const parts = jwe.split('.')
    parts[3] = `${parts[3]!.startsWith('A') ? 'B' : 'A'}${parts[3]!.slice(1)}`
    const refused = async (text: string, key: CryptoKey) =>
      unwrapKey(text, key).then(
        () => 'opened',
        () => 'refused',
      )
    expect(await refused(parts.join('.'), privateKey)).to.equal('refused')
    expect(await refused(jwe, (await newKeyPair()).privateKey)).to.equal('refused')
  })
})

describe('a draft', () => {
  it('is sealed under K and bound to its owner; its length is hidden', async () => {
    const k = crypto.getRandomValues(new Uint8Array(32))
    const mine = await draftSeal(k, '@a:x')
    const sealed = await mine.seal('Me duele el pecho "hoy"')
    expect(await mine.open(sealed)).to.equal('Me duele el pecho "hoy"')
    expect((await mine.seal('x')).sealed).to.have.lengthOf(sealed.sealed.length)
    expect(await mine.open({})).to.equal('')
    const other = await draftSeal(k, '@b:x')
    expect(
      await other.open(sealed).then(
        () => 'opened',
        () => 'refused',
      ),
    ).to.equal('refused')
  })
})

describe('an attachment', () => {
  it('comes back as it was, and not at all when a byte differs', async () => {
    const plain = new Blob([crypto.getRandomValues(new Uint8Array(5000))])
    const { sealed, file } = await sealAttachment(plain)
    const bytes = await sealed.arrayBuffer()
    const whole = { ...file, url: 'mxc://x/y' }
    expect(new Uint8Array(await openAttachment(bytes, whole))).to.deep.equal(new Uint8Array(await plain.arrayBuffer()))
    new Uint8Array(bytes)[0]! ^= 1
    expect(
      await openAttachment(bytes, whole).then(
        () => 'opened',
        () => 'refused',
      ),
    ).to.equal('refused')
  })
  it('never gets a type that runs scripts', () => {
    expect(
      ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'IMAGE/PNG', 'audio/ogg; codecs=opus'].map(safeType),
    ).to.deep.equal([
      'application/octet-stream',
      'application/octet-stream',
      'application/octet-stream',
      'image/png',
      'audio/ogg',
    ])
  })
})

describe('messages on their way', () => {
  const add = (queue: Outgoing[], id: string) => queued(queue, { type: 'add', id, at: now, text: id })
  it('go one after the other, in the order of writing', () => {
    const two = add(add([], 'a'), 'b')
    expect(nextToSend(two)?.id).to.equal('a')
    const sending = queued(two, { type: 'begin', id: 'a' })
    expect(nextToSend(sending)).to.equal(null)
    expect(nextToSend(queued(sending, { type: 'sent', id: 'a', eventId: '$a' }))?.id).to.equal('b')
  })
  it('keep their id when they are sent again, so that they cannot arrive twice', () => {
    const failed = queued(queued(add([], 'a'), { type: 'begin', id: 'a' }), { type: 'fail', id: 'a' })
    expect(nextToSend(failed)).to.equal(null)
    expect(nextToSend(queued(failed, { type: 'retry-all' }))?.id).to.equal('a')
  })
  it('are shown until the room itself shows them', () => {
    const sent = queued(add([], 'a'), { type: 'sent', id: 'a', eventId: '$a' })
    expect(outgoingItems(sent, new Set(), 'me')).to.have.lengthOf(1)
    expect(outgoingItems(sent, new Set(['$a']), 'me')).to.have.lengthOf(0)
  })
})

describe('the pinned SDK', () => {
  it('still has the private parts that the page calls', () => {
    const read = (file: string) =>
      readFileSync(new URL(`../../../node_modules/matrix-js-sdk/lib/${file}`, import.meta.url), 'utf8')
    const rust = read('rust-crypto/rust-crypto.js')
    expect(rust).to.include('"dehydratedDeviceManager"').and.to.include('"backupManager"')
    expect(read('rust-crypto/DehydratedDeviceManager.js')).to.include('async rehydrateDeviceIfAvailable()')
    const backup = read('rust-crypto/backup.js')
    for (const name of [
      'async backupKeysLoop()',
      'backupKeysLoopRunning',
      'RustBackupManager.maxBackupLoopStartDelayMillis',
    ])
      expect(backup).to.include(name)
  })
})

describe('the try-it page’s steps', () => {
  it('follow what happened in the room', () => {
    const item = (id: string, sender: string, more: Partial<Item> = {}): Item => ({
      id,
      sender,
      at: now,
      content: { kind: 'text', body: id },
      mark: sender === 'me' ? 'sent' : 'received',
      ...more,
    })
    const steps = (...items: Item[]) => [...stepsDone([item('card', '@r_1', { automatic: true }), ...items], 'me', 'b')]
    expect(steps()).to.deep.equal([])
    expect(steps(item('a', 'me', { mark: 'sending' }))).to.deep.equal([])
    expect(steps(item('a', 'me', { reactions: ['📤'] }))).to.deep.equal(['write'])
    expect(steps(item('a', 'me', { reactions: ['👀'] }))).to.deep.equal(['write', 'tap'])
    expect(steps(item('a', 'me', { reactions: ['🔓'] }))).to.deep.equal(['write', 'tap', 'prove'])
    expect(steps(item('a', 'me'), item('c', '@p_1'))).to.deep.equal(['write', 'tap', 'prove', 'answer'])
    expect(steps(item('a', 'me'), item('b', '@p_1'))).to.deep.equal(['write', 'tap', 'prove', 'answer', 'see'])
    expect(steps(item('a', 'me'), item('c', '@p_1'), item('b', '@r_1', { automatic: true }))).to.include('see')
    const closed = item('b', '@p_1', { content: { kind: 'opening' } })
    expect(steps(item('a', 'me'), closed)).to.deep.equal(['write', 'tap', 'prove', 'answer'])
    expect(steps(item('a', 'me', { bySms: true }))).to.deep.equal([])
    expect(steps(item('a', 'me'), item('b', 'me', { bySms: true }))).to.deep.equal(['write'])
  })
})
