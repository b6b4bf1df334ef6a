import { expect } from 'chai'
import { withoutChat } from '../../../core/domain/oncall/paging/without-chat.ts'
import { chatBackWords } from '../../../core/domain/oncall/words/chat-back-words.ts'
import { begin, create, plan, role, shown, step, user, ward } from '../../support/oncall/paging.ts'

describe('pages while chat is away', () => {
  it('go by the next way at once, and pass over whoever has none', () => {
    const onlyChat = { rungs: { ann: [{ way: 'matrix', waitMs: 0 }] } } as const
    const ports = ward({ duty: { cardiology: ['ann'] }, ...onlyChat })
    const p = plan([step([role('cardiology')]), step([user('bob')])])
    const turn = withoutChat(create(p, ports), begin, ports)
    expect(shown(turn.effects)).to.deep.equal([
      'sender created',
      'sender asked',
      'matrix ann',
      'sender unreachable',
      'sender asked',
      'matrix bob',
      'sms bob',
    ])
    expect(turn.page.phase).to.equal('open')
  })

  it('end with the fallback where nobody has another way', () => {
    const rungs = { ann: [{ way: 'matrix', waitMs: 0 }] } as const
    const ports = ward({ rungs })
    const turn = withoutChat(create(plan([step([user('ann')], { repeat: 1 })]), ports), begin, ports)
    expect(turn.page.phase).to.equal('exhausted')
    expect(shown(turn.effects).at(-1)).to.equal('call switchboard')
  })

  it('are told afterwards by their references, never by their words', () => {
    const ports = ward()
    const { page } = withoutChat(create(plan([step([user('ann')])]), ports), begin, ports)
    const wording = { name: (n: string) => n, time: (at: number) => new Date(at).toISOString().slice(11, 16) }
    const said = (change: Partial<typeof page>) =>
      chatBackWords(
        { from: begin, until: begin + 600_000, pages: [{ page: { ...page, ...change }, target: 'Cardiology' }] },
        wording,
      )
    expect(said({ phase: 'accepted', acceptedBy: ['ann'] })).to.equal(
      'Chat was away from 12:00 to 12:10. It is back.\nMeanwhile pages went by text and call:\n7Q4K (urgent, Cardiology): taken by ann',
    )
    expect(said({ phase: 'exhausted' })).to.include('NOBODY HAS TAKEN IT')
  })
})
