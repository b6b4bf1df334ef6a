import { expect } from 'chai'
import fc from 'fast-check'
import { MatrixEvent } from 'matrix-js-sdk'
import { itemOf } from '../../../web/patient/matrix/timeline.ts'
import type { Item, Talk } from '../../../web/shared/conversation/item.ts'
import { linkify } from '../../../web/shared/conversation/linkify.ts'
import { talkEn } from '../../../web/shared/conversation/text/en.ts'
import { talkEs } from '../../../web/shared/conversation/text/es.ts'
import { sizeText, talkView, withReadMarks } from '../../../web/shared/conversation/view-model.ts'
import { seed } from '../../support/random.ts'

const now = Date.parse('2026-03-12T15:00:00Z')
const item = (id: string, sender: string, minutesAgo: number, more: Partial<Item> = {}): Item => ({
  id,
  sender,
  at: now - minutesAgo * 60_000,
  content: { kind: 'text', body: id },
  mark: sender === 'me' ? 'sent' : 'received',
  ...more,
})
const view = (items: Item[], lang: 'en' | 'es' = 'en') =>
  talkView({
    talk: { me: 'me', items, older: 'none', connection: 'ok' } satisfies Talk,
    team: { ann: { name: 'Ann', role: 'Nurse' } },
    lang,
    words: lang === 'es' ? talkEs : talkEn,
    now,
    timeZone: 'UTC',
  })
const messages = (items: Item[]) => view(items).rows.filter(row => row.kind === 'message')

describe('a message that makes no sense', () => {
  const read = (ts: unknown, content: Record<string, unknown>) => {
    const json = { type: 'm.room.message', event_id: '$a', sender: '@ann:x', room_id: '!r:x', content }
    const event = new MatrixEvent({ ...json, origin_server_ts: ts as number })
    return itemOf(event, { me: '@me:x', gaveUp: () => false, find: () => undefined, hidden: [] })
  }

  it('is shown as far as it goes, and keeps nobody from the others', () => {
    const image = read(Number.MAX_SAFE_INTEGER, { msgtype: 'm.image', body: 7, info: null, file: {} })
    expect(image?.content).to.deep.include({ kind: 'image' })
    expect(image?.content).to.have.nested.property('media.name', 'file')
    expect(messages([item('a', 'ann', 3), image!]).map(row => row.time)).to.deep.equal(['2:57 PM', '11:59 PM'])
    expect(read('soon', { msgtype: 'm.image', body: 'x', file: null })).to.include({ at: 0 })
  })

  it('whatever it is', () => {
    const kinds = fc.constantFrom('m.text', 'm.image', 'm.audio', 'm.file', 'm.video', 'm.notice', 'x')
    const wild = fc.oneof(fc.jsonValue(), fc.double())
    const content = fc.record(
      { msgtype: kinds, body: wild, filename: wild, info: wild, file: wild, 'io.wardroom.sms': wild },
      { requiredKeys: [] },
    )
    const info = fc.record({ mimetype: wild, size: wild, w: wild, h: wild, duration: wild }, { requiredKeys: [] })
    fc.assert(
      fc.property(wild, content, fc.option(info), (ts, said, more) => {
        const found = read(ts, more ? { ...said, info: more } : said)
        const drawn = found ? view([found]).rows : []
        for (const row of drawn) if (row.kind === 'message') expect(row.time).to.match(/^\d/)
        const content = found?.content
        if (content && 'media' in content) sizeText(content.media.bytes, 'en', talkEn)
      }),
      { seed },
    )
  })
})

describe('the message list', () => {
  it('separates days and names today and yesterday', () => {
    const days = (lang: 'en' | 'es') =>
      view([item('a', 'ann', 3 * 1440), item('b', 'ann', 1440), item('c', 'ann', 1)], lang).rows.flatMap(row =>
        row.kind === 'day' ? [row.label] : [],
      )
    expect(days('en')).to.deep.equal(['Monday, March 9', 'Yesterday', 'Today'])
    expect(days('es')).to.deep.equal(['Lunes, 9 de marzo', 'Ayer', 'Hoy'])
  })

  it('names the sender once for a run, and on every message for a screen reader', () => {
    const rows = messages([item('a', 'ann', 3), item('b', 'ann', 2), item('c', 'me', 1)])
    expect(rows.map(row => row.from?.name ?? null)).to.deep.equal(['Ann', null, null])
    expect(rows.map(row => row.who)).to.deep.equal(['Ann', 'Ann', 'You'])
  })

  it('shows a mark where it changes, and always on what was not sent', () => {
    const rows = messages([
      item('a', 'me', 9, { mark: 'read' }),
      item('b', 'me', 8, { mark: 'read' }),
      item('c', 'me', 7, { mark: 'sent' }),
      item('d', 'me', 6, { mark: 'failed' }),
      item('e', 'me', 5, { mark: 'failed' }),
    ])
    expect(rows.map(row => row.markText)).to.deep.equal([null, 'Read', 'Sent', 'Not sent', 'Not sent'])
  })

  it('marks as read what came before another person’s receipt, also when that is on an event that is not shown', () => {
    const items = [
      item('a', 'me', 3),
      item('b', 'me', 2),
      item('c', 'me', 1),
      item('~local', 'me', 0, { mark: 'sending' }),
    ]
    const order = ['a', 'reaction', 'b', 'state', 'c']
    const marks = (receipts: Record<string, string>) => withReadMarks(items, order, receipts, 'me').map(one => one.mark)
    expect(marks({ ann: 'state' })).to.deep.equal(['read', 'read', 'sent', 'sending'])
    expect(marks({ me: 'c' })).to.deep.equal(['sent', 'sent', 'sent', 'sending'])
    expect(marks({ ann: 'unknown' })).to.deep.equal(['sent', 'sent', 'sent', 'sending'])
  })

  it('calls the clinic’s system by what it is', () => {
    expect(messages([item('a', 'service', 1, { automatic: true })])[0]!.who).to.equal('Automatic message')
  })

  it('finds web addresses and leaves the full stop and every other scheme alone', () => {
    expect(linkify('See https://a.example/b. Then call.')).to.deep.equal([
      { text: 'See ' },
      { text: 'https://a.example/b', href: 'https://a.example/b' },
      { text: '. Then call.' },
    ])
    expect(linkify('javascript:alert(1) https://user@evil.example')).to.deep.equal([
      { text: 'javascript:alert(1) https://user@evil.example' },
    ])
  })

  it('says sizes as people do', () => {
    expect([0, 400, 340_000, 2_140_000].map(bytes => sizeText(bytes, 'en', talkEn))).to.deep.equal([
      '',
      '1 kB',
      '340 kB',
      '2.1 MB',
    ])
  })
})
