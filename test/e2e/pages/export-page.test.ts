import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import type { ExportLine } from '../../../core/domain/records/export-line.ts'
import { pageEnd, pageLine, pageRoom, pageRoomEnd, pageStart } from '../../../core/domain/records/export-page.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { browser } from '../../support/browser/chromium.ts'

const at = '2026-11-01T10:00:00.000Z'
const line = (n: number, more: Partial<ExportLine>): ExportLine => ({
  event_id: `$${n}`,
  room_id: '!r:h',
  sent_at: at,
  sender: '@ann:h',
  what: 'message',
  type: 'm.room.message',
  content: { body: 'Please come on Monday' },
  encrypted: true,
  source: 'homeserver',
  stored: null,
  ...more,
})
const lines = [
  line(1, {}),
  line(2, {
    sender: '@p_1:h',
    content: { body: '<img src=x onerror="document.title=1"><script>document.title=2</script>' },
  }),
  line(3, { what: 'edit', about: '$1', removed: { by: '@p_1:h', at, event: '$9', reason: null } }),
  line(4, { media: { path: 'media/000001.gif', name: 'rash.gif', type: 'image/gif', bytes: 35, sha256: '' } }),
  line(5, { content: null, unreadable: 'no-room-key' }),
  line(6, { what: 'reaction', about: '$1', content: { 'm.relates_to': { key: '👍' } } }),
]

/** Row 53: what an officer or a patient opens from the unpacked folder. */
describe('the page of an export in a browser', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-page-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('reads well without a script, shows its pictures, asks nobody for anything, and passes axe', async () => {
    const people = new Map([['@p_1:h', 'The patient']])
    const members = [{ at, user: '@ann:h', membership: 'join', by: '@ann:h' }]
    const html = [
      pageStart({ title: 'Exported records', lines: [['Why', 'claim 7']] }),
      pageRoom({ room: '!r:h', name: 'Care room of K7M-4QP', members }),
      ...lines.map(l => pageLine(l, people)),
      pageRoomEnd,
      pageEnd(['1 events: lost.']),
    ]
    mkdirSync(join(folder, 'media'))
    writeFileSync(join(folder, 'media/000001.gif'), Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAA=', 'base64'))
    writeFileSync(join(folder, 'index.html'), html.join(''))
    const page = await (await browser()).newPage()
    const asked: string[] = []
    page.on('request', r => asked.push(r.url().replace(pathToFileURL(folder).href, '')))
    try {
      await page.goto(pathToFileURL(join(folder, 'index.html')).href)
      expect(asked).to.deep.equal(['/index.html', '/media/000001.gif'])
      expect(await page.evaluate(() => document.images[0]?.naturalWidth)).to.equal(1)
      expect(await page.title()).to.equal('Exported records')
      expect(await page.locator('main').textContent()).to.include('<script>document.title=2</script>')
      expect(await axeFindings(page)).to.deep.equal([])
    } finally {
      await page.close()
    }
  })
})
