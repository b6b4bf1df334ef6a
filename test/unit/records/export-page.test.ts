import { expect } from 'chai'
import fc from 'fast-check'
import { type ExportLine, fileOf, kindOf, mediaPath } from '../../../core/domain/records/export-line.ts'
import { escapeHtml, pageEnd, pageLine, pageRoom, pageStart } from '../../../core/domain/records/export-page.ts'
import { canonicalJson, contentHash, fitsOwnHash, isPruned } from '../../../core/records/export/canonical.ts'

const line = (more: Partial<ExportLine> = {}): ExportLine => ({
  event_id: '$1',
  room_id: '!r:h',
  sent_at: '2026-11-01T10:00:00.000Z',
  sender: '@ann:h',
  what: 'message',
  type: 'm.room.message',
  content: { body: 'hello' },
  encrypted: true,
  source: 'homeserver',
  stored: {},
  ...more,
})
const nobody = new Map<string, string>()

describe('the readable page of an export', () => {
  it('lets nothing that people wrote become markup, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
        const evil = `"'><script>${text}</script>`
        const media = { path: 'media/000001.gif', name: evil, type: evil, bytes: 1, sha256: '' }
        const html = [
          pageStart({ title: evil, lines: [[evil, evil]] }),
          pageRoom({ room: evil, name: evil, members: [{ at: evil, user: evil, membership: evil, by: evil }] }),
          pageLine(line({ event_id: evil, sender: evil, content: { body: evil }, sent_at: evil }), nobody),
          pageLine(line({ media, what: 'edit', about: evil }), nobody),
          pageLine(line({ media: { missing: evil, name: evil, type: '' }, replies_to: evil }), nobody),
          pageLine(line({ what: 'reaction', content: { 'm.relates_to': { key: evil } }, about: evil }), nobody),
          pageLine(line({ unreadable: evil, removed: { by: evil, at: evil, event: evil, reason: evil } }), nobody),
          pageEnd([evil]),
        ].join('')
        return !html.includes('<script') && !html.includes(`"'>`)
      }),
      { numRuns: 300 },
    )
    expect(escapeHtml('a\u202eb\u0000c')).to.equal('a\ufffdb\ufffdc')
  })

  it('has no script, allows none, and takes nothing from elsewhere', () => {
    const start = pageStart({ title: 'x', lines: [] })
    expect(start).to.include("default-src 'none'").and.include('lang="en"').and.include('@media print')
    expect(start).not.to.match(/https?:/)
  })

  it('says what was removed, what cannot be read, and what comes out of a sealed copy', () => {
    const removed = { by: '@p_1:h', at: '2026-11-02T10:00:00.000Z', event: '$2', reason: null }
    const said = pageLine(line({ removed, source: 'sealed-copy' }), new Map([['@p_1:h', 'The patient']]))
    expect(said).to.include('Removed by The patient').and.include('sealed copy')
    const unread = pageLine(line({ content: null, unreadable: 'no-room-key' }), nobody)
    expect(unread).to.include('cannot be read: its room key')
    expect(pageLine(line({ what: 'state' }), nobody)).to.equal('')
  })
})

describe('an event of an export', () => {
  const encrypted = { type: 'm.room.encrypted', content: { 'm.relates_to': { rel_type: 'm.replace', event_id: '$0' } } }

  it('is told apart by what it does', () => {
    expect(kindOf(encrypted, null)).to.deep.equal({ what: 'edit', about: '$0' })
    const removal = { what: 'removal', about: '$0' }
    expect(kindOf({ type: 'm.room.redaction', content: { redacts: '$0' } }, null)).to.deep.equal(removal)
    expect(kindOf({ type: 'm.room.redaction', content: {}, redacts: '$0' }, null)).to.deep.equal(removal)
    expect(kindOf({ type: 'm.room.member', content: {}, state_key: '@a:h' }, null)).to.deep.equal({ what: 'state' })
    const reply = { 'm.relates_to': { rel_type: 'm.thread', event_id: '$t', 'm.in_reply_to': { event_id: '$r' } } }
    expect(kindOf({ type: 'm.room.encrypted', content: {} }, { type: 'm.room.message', content: reply })).to.deep.equal(
      { what: 'message', replies_to: '$r', thread: '$t' },
    )
    for (const odd of [{}, { 'm.relates_to': 7 }, { 'm.relates_to': null }, { 'm.relates_to': { event_id: {} } }])
      expect(kindOf({ type: 'm.room.message', content: odd }, null).what).to.equal('message')
  })

  it('gives its file a name of ours and an ending that no program runs', () => {
    for (const type of ['text/html', 'image/svg+xml', '../../x', 'application/x-sh', 'constructor', ''])
      expect(mediaPath(7, type)).to.equal('media/000007.bin')
    expect(mediaPath(12, 'IMAGE/JPEG')).to.equal('media/000012.jpg')
    const file = { url: 'mxc://h/a', key: { k: 'k' }, iv: 'i', hashes: { sha256: 's' } }
    expect(fileOf({ body: 'b.jpg', file, info: { mimetype: 'image/jpeg' } })).to.deep.equal({
      mxc: 'mxc://h/a',
      name: 'b.jpg',
      type: 'image/jpeg',
      key: { k: 'k', iv: 'i', sha256: 's' },
    })
    expect(fileOf({ body: 'x', url: 'mxc://h/b' })).to.deep.equal({ mxc: 'mxc://h/b', name: 'x', type: '' })
    expect(fileOf({ body: 'words' })).to.equal(undefined)
    expect(fileOf(null)).to.equal(undefined)
  })

  it('is hashed by its ciphertext, in the order of code points where it was sent in clear', () => {
    expect(canonicalJson({ b: [1, { y: null, x: 'é' }], a: true, c: undefined })).to.equal(
      '{"a":true,"b":[1,{"x":"é","y":null}]}',
    )
    expect(canonicalJson({ '\u{1f600}': 1, '\uff00': 2 })).to.equal('{"\uff00":2,"\u{1f600}":1}')
    expect(contentHash({ content: { ciphertext: 'abc' } })).to.match(/^ba7816bf/)
    expect(contentHash({ content: { b: 1, a: 2 } })).to.equal(contentHash({ content: { a: 2, b: 1 } }))
    expect(contentHash(null)).to.equal(null)
    expect(isPruned({ type: 'm.room.encrypted', content: {} })).to.equal(true)
    expect(fitsOwnHash({ type: 'm.room.encrypted', content: {}, hashes: { sha256: 'x' } })).to.equal(undefined)
    expect(fitsOwnHash({ type: 'X', content: {}, hashes: { sha256: 'x' } })).to.equal(false)
  })
})
