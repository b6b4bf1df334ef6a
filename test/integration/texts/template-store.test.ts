import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { templateNames } from '../../../core/domain/texts/template.ts'
import {
  approveTemplate,
  currentTemplate,
  listTemplates,
  proposeTemplate,
  templateVersions,
} from '../../../core/store/texts/templates.ts'
import { type SmsWorld, smsWorld } from '../../support/worlds/sms-world.ts'

const phone = '+12025550123'
const words = '{clinic}: there is news for you. Open {link} within {hours} h. Call {phone}. Reply STOP to stop texts.'
const ann = '@ann:test'
const bob = '@bob:test'

describe('templates (row 81)', () => {
  let w: SmsWorld
  beforeEach(async () => {
    w = await smsWorld()
  })
  afterEach(() => w.stop())
  const propose = (body: string, by = ann) =>
    w.tx(t => proposeTemplate(t, { name: 'notice', lang: 'en', body, by, publicUrl: w.publicUrl }))
  const approve = (version: number, by = bob) =>
    w.tx(t => approveTemplate(t, { name: 'notice', lang: 'en', version, by, publicUrl: w.publicUrl }))
  const code = (r: unknown) => (isRefusal(r) ? r.code : 'done')

  it('lists every one in both languages, in the version that ships', async () => {
    const all = await listTemplates(w.store.db)
    expect(all).to.have.lengthOf(2 * templateNames.length)
    expect(new Set(all.map(t => t.version))).to.deep.equal(new Set([0]))
  })

  it('sends in new words only after somebody else has approved them', async () => {
    const p = await w.patient(phone)
    const proposed = await propose(words)
    if (isRefusal(proposed)) throw new Error(proposed.sentence)
    expect(proposed.preview).to.match(
      /^Your clinic: there is news for you\. Open http:\/\/localhost:\d+\/l\/x{22} within/,
    )
    expect(code(await approve(1, ann))).to.equal('same-person')
    await w.notice(p)
    expect((await w.arrives(phone))[0]?.body).to.match(/new secure message/)
    expect(code(await approve(1))).to.equal('done')
    await w.notice(p)
    expect((await w.arrives(phone, 2))[1]?.body).to.match(/there is news for you/)
    expect((await w.audits('template.approve')).map(r => r.outcome)).to.deep.equal(['refused', 'done'])
  })

  it('refuses words about health with every reason, and records that it did', async () => {
    const r = await propose(words.replace('news', 'a result from Oncology'))
    expect(isRefusal(r) && r.sentence).to.match(/specialty/)
    expect((await w.audits('template.propose')).map(x => x.outcome)).to.deep.equal(['refused'])
    expect(await templateVersions(w.store.db, 'notice', 'en')).to.have.lengthOf(1)
  })

  it('keeps one version in force: the next retires the last, and none is approved twice', async () => {
    await propose(words)
    await propose(words.replace('news', 'something new'))
    expect(code(await approve(1))).to.equal('done')
    expect(code(await approve(2))).to.equal('done')
    expect(code(await approve(1))).to.equal('not-proposed')
    expect(code(await approve(9))).to.equal('unknown-version')
    const versions = await templateVersions(w.store.db, 'notice', 'en')
    expect(versions.map(v => `${v.version} ${v.state}`)).to.deep.equal(['2 approved', '1 retired', '0 retired'])
    expect((await currentTemplate(w.store.db, 'notice', 'en')).version).to.equal(2)
  })

  it('checks again at approval: a longer clinic name may no longer fit', async () => {
    const short = await propose(words)
    if (isRefusal(short)) throw new Error(short.sentence)
    await propose(words.padEnd(words.length + 306 - short.preview.length, ' more'))
    await w.set('clinic.name', 'Riverside Community Clinic of Astoria')
    const r = await approve(2)
    expect(isRefusal(r) && r.sentence).to.match(/segments/)
  })

  it('sends a queued text in the version that it was queued with', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 3))
    await w.notice(p)
    await propose(words)
    await approve(1)
    w.store.clock.set(Date.UTC(2026, 4, 13, 14))
    expect((await w.arrives(phone))[0]?.body).to.match(/new secure message/)
  })
})
