import { expect } from 'chai'
import type { Session } from '../../../web/contract.ts'
import type { Effect, Event } from '../../../web/patient/events.ts'
import { initialState, type State } from '../../../web/patient/model.ts'
import { reduce } from '../../../web/patient/reduce.ts'

const now = 1_800_000_000_000
const session: Session = {
  csrf: 'c',
  userId: '@p:x',
  deviceId: 'D',
  roomId: '!r:x',
  lang: 'es',
  now,
  idleAt: now + 900_000,
  reauthAt: now + 3_600_000,
  person: { kind: 'patient' },
  team: {},
  quickReplies: [],
  limits: { textBytes: 20, uploadBytes: 1000 },
}
const factors = {
  state: 'factors',
  factors: ['birth_date', 'sms_code'],
  lang: 'es',
  triesLeft: 3,
  reason: 'message',
  expiresAt: now,
} as const

/** Plays events from the start; the last state and the effects of the last event. */
const play = (...events: Event[]): { state: State; effects: Effect[] } =>
  events.reduce<{ state: State; effects: Effect[] }>((at, event) => reduce(at.state, event), {
    state: initialState('t'.repeat(22), 'en', now),
    effects: [],
  })
const begin: Event = { type: 'begin', wasm: true }
const landing: Event[] = [begin, { type: 'resumed', session: null }]
const asked: Event[] = [
  ...landing,
  { type: 'open' },
  { type: 'tapped', answer: { ...factors, factors: ['birth_date', 'sms_code'] } },
]
const inside: Event[] = [...landing, { type: 'resumed', session }, { type: 'opened' }]

describe('the patient page decides', () => {
  it('asks nothing of the server before the tap, but whether a reloaded session lives', () => {
    expect(play(begin).effects).to.deep.equal([{ do: 'resume', again: false }])
    expect(play(...landing).effects).to.deep.equal([])
    expect(play(...landing, { type: 'open' }).effects).to.deep.equal([{ do: 'tap' }])
  })

  it('asks the factors in turn, starts the big downloads with the first and sends the code with the second', () => {
    const first = play(...asked)
    expect(first.state.screen).to.include({ at: 'factor', factor: 'birth_date', triesLeft: 3 })
    expect(first.effects).to.deep.equal([{ do: 'preload' }])
    const second = play(...asked, {
      type: 'verified',
      answer: { state: 'factors', factors: ['sms_code'], triesLeft: 3 },
    })
    expect(second.state.screen).to.include({ at: 'factor', factor: 'sms_code' })
    expect(second.effects).to.deep.equal([{ do: 'sms-code' }])
  })

  it('takes the language from the record, unless the person has chosen one', () => {
    expect(play(...asked).state.lang).to.equal('es')
    const chosen = play({ type: 'language', lang: 'en' }, ...asked)
    expect(chosen.state.lang).to.equal('en')
  })

  it('says how many tries are left, and locks', () => {
    const wrong = play(
      ...asked,
      { type: 'factor', value: '1950-01-01', fault: null },
      { type: 'verified', answer: { state: 'wrong', triesLeft: 1 } },
    )
    expect(wrong.state.screen).to.include({ at: 'factor', fault: 'wrong', triesLeft: 1, busy: false })
    expect(play(...asked, { type: 'verified', answer: { state: 'locked' } }).state.screen).to.deep.equal({
      at: 'locked',
    })
  })

  it('sends one answer however often the button is pressed', () => {
    const once = play(...asked, { type: 'factor', value: '1950-01-01', fault: null })
    expect(once.effects).to.have.lengthOf(1)
    expect(reduce(once.state, { type: 'factor', value: '1950-01-01', fault: null }).effects).to.deep.equal([])
  })

  it('makes the buttons work again after a lost connection', () => {
    const lost = play(
      ...asked,
      { type: 'factor', value: '1950-01-01', fault: null },
      { type: 'problem', problem: 'network' },
    )
    expect(lost.state.problem).to.equal('network')
    expect(lost.state.screen).to.include({ at: 'factor', busy: false })
  })

  it('shows a phone without WebAssembly whom to call', () => {
    expect(play({ type: 'begin', wasm: false }).state.screen).to.deep.equal({ at: 'no-wasm' })
  })

  it('keeps what was typed while a message is on its way, and clears it only with the send', () => {
    const typed = play(...inside, { type: 'write', text: 'hello' })
    expect(typed.effects).to.deep.equal([{ do: 'save-draft', text: 'hello' }])
    const sent = reduce(typed.state, { type: 'send' })
    expect(sent.effects).to.deep.equal([
      { do: 'send-text', text: 'hello' },
      { do: 'save-draft', text: '' },
    ])
    expect(sent.state.compose.text).to.equal('')
  })

  it('refuses a text that is too long and keeps it', () => {
    const { state, effects } = play(...inside, { type: 'write', text: 'ñ'.repeat(11) }, { type: 'send' })
    expect(effects).to.deep.equal([])
    expect(state.compose).to.include({ notice: 'too-long', text: 'ñ'.repeat(11) })
  })

  it('restores a draft, but never over what is being typed', () => {
    expect(play(...inside, { type: 'draft', text: 'old' }).state.compose.text).to.equal('old')
    expect(play(...inside, { type: 'write', text: 'new' }, { type: 'draft', text: 'old' }).state.compose.text).to.equal(
      'new',
    )
  })

  it('warns two minutes before the idle log-off, lets the person stay, and otherwise keeps the draft and the link', () => {
    const warned = play(
      ...inside,
      { type: 'write', text: 'half a sen' },
      { type: 'tick', now: session.idleAt - 119_000 },
    )
    expect(warned.state.overlay).to.deep.equal({ is: 'idle' })
    const stays = reduce(warned.state, { type: 'stay' })
    expect(stays.effects).to.deep.equal([{ do: 'extend' }])
    const extended = reduce(stays.state, {
      type: 'extended',
      answer: { now, idleAt: session.idleAt + 900_000, reauthAt: session.reauthAt },
    })
    expect(extended.state.overlay).to.deep.equal({ is: 'none' })
    const gone = reduce(warned.state, { type: 'tick', now: session.idleAt })
    expect(gone.state.screen).to.deep.equal({ at: 'ended', why: 'idle', draft: true })
    expect(gone.state.session).to.equal(null)
    expect(gone.effects).to.deep.equal([{ do: 'close', session, draft: 'half a sen', ends: false }])
  })

  it('tells the server of activity once a minute, and not from behind the warning', () => {
    const later = play(...inside, { type: 'tick', now: now + 61_000 }, { type: 'activity' })
    expect(later.effects).to.deep.equal([{ do: 'extend' }])
    expect(reduce(later.state, { type: 'activity' }).effects).to.deep.equal([])
    const warned = play(...inside, { type: 'tick', now: session.idleAt - 60_000 }, { type: 'activity' })
    expect(warned.effects).to.deep.equal([])
  })

  it('asks again after an hour without losing a letter', () => {
    const typed = play(...inside, { type: 'write', text: 'my text' })
    const hour = { ...typed.state, session: { ...session, idleAt: now + 9_000_000 } }
    const covered = reduce(hour, { type: 'tick', now: session.reauthAt })
    expect(covered.state.overlay).to.include({ is: 'reauth' })
    const busy = reduce(covered.state, { type: 'reauth', value: '1950-01-01', fault: null })
    expect(busy.effects).to.deep.equal([{ do: 'reauth', factor: 'birth_date', value: '1950-01-01' }])
    const answer = { state: 'ok', now, idleAt: now + 9_900_000, reauthAt: now + 9_900_000 } as const
    const back = reduce(busy.state, { type: 'reauthed', answer })
    expect(back.state.overlay).to.deep.equal({ is: 'none' })
    expect(back.state.compose.text).to.equal('my text')
    expect(reduce(covered.state, { type: 'close' }).state.overlay).to.include({ is: 'reauth' })
  })

  it('uses the link up only when the person logs off', () => {
    expect(play(...inside, { type: 'log-off' }).effects).to.deep.equal([
      { do: 'close', session, draft: '', ends: true },
    ])
    expect(play(...inside, { type: 'over' }).effects).to.deep.equal([{ do: 'close', session, draft: '', ends: false }])
  })

  it('leaves the conversation to the newest tab and opens it here again on a tap', () => {
    const other = play(...inside, { type: 'superseded' })
    expect(other.state.screen).to.deep.equal({ at: 'other-tab' })
    expect(other.state.talk).to.equal(null)
    expect(other.effects).to.deep.equal([{ do: 'drop' }])
    expect(reduce(other.state, { type: 'open' }).effects).to.deep.equal([{ do: 'tap' }])
  })

  it('tries a failed start again with a new device', () => {
    const failed = play(...landing, { type: 'resumed', session }, { type: 'open-failed', why: 'setup' })
    expect(failed.state.screen).to.deep.equal({ at: 'failed', why: 'setup' })
    expect(reduce(failed.state, { type: 'retry-open' }).effects).to.deep.equal([{ do: 'resume', again: true }])
  })

  it('says when a screen could not be drawn, lets the conversation go, and begins it anew', () => {
    const broken = play(...inside, { type: 'write', text: 'half a' }, { type: 'broken' })
    expect(broken.state.screen).to.deep.equal({ at: 'failed', why: 'broken' })
    expect(broken.state.compose.text).to.equal('half a')
    expect(broken.effects).to.deep.equal([
      { do: 'tell-broken', session },
      { do: 'let-go', draft: 'half a' },
    ])
    expect(reduce(broken.state, { type: 'broken' }), 'not for ever').to.deep.equal({ state: broken.state, effects: [] })
    expect(reduce(broken.state, { type: 'retry-open' }).effects).to.deep.equal([{ do: 'resume', again: true }])
    const checking = reduce(initialState(null, 'en', now), { type: 'broken' }).state
    expect(reduce(checking, { type: 'retry-open' }).state.screen).to.include({ at: 'check' })
  })

  it('sends only the host of a link that is checked', () => {
    const state = { ...initialState(null, 'en', now) }
    const typed = 'Clinic: your message https://evil.example/l/secrettoken now!'
    expect(reduce(state, { type: 'check', typed }).effects).to.deep.equal([{ do: 'check', host: 'evil.example' }])
    expect(reduce(state, { type: 'check', typed: 'nothing here' }).state.screen).to.include({ result: 'missing' })
  })
})
