import type { Event } from './events.ts'
import { emptyCompose, type Overlay, type State } from './model.ts'
import { ended, type Step } from './reduce.ts'

/** The signed-in half of `reduce`: conversation, composer, dialogs. Null for an event that is not its own. */
export const reduceTalk = (state: State, event: Event): Step | null => {
  const { compose, overlay, session } = state
  const put = (change: Partial<State>): Step => ({ state: { ...state, ...change }, effects: [] })
  switch (event.type) {
    case 'talk':
      return session ? put({ talk: event.talk }) : put({})
    case 'draft':
      return compose.text === '' ? put({ compose: { ...compose, text: event.text } }) : put({})
    case 'write':
      return {
        state: { ...state, compose: { ...compose, text: event.text, notice: null } },
        effects: [{ do: 'save-draft', text: event.text }],
      }
    case 'send':
      return send(state)
    case 'pick':
      if (!session) return put({})
      return {
        state: { ...state, compose: { ...compose, preparing: true, notice: null } },
        effects: [{ do: 'prepare', file: event.file, kind: event.kind, maxBytes: session.limits.uploadBytes }],
      }
    case 'staged':
      return {
        state: { ...state, compose: { ...compose, preparing: false, notice: null, staged: event.staged } },
        effects: compose.staged ? [{ do: 'drop-media', staged: compose.staged }] : [],
      }
    case 'compose-notice':
      return put({ compose: { ...compose, preparing: false, notice: event.notice } })
    case 'unstage':
      return {
        state: { ...state, compose: { ...compose, staged: null, notice: null } },
        effects: compose.staged ? [{ do: 'drop-media', staged: compose.staged }] : [],
      }
    case 'retry':
    case 'discard':
    case 'seen':
      return { state, effects: [{ do: event.type, id: event.id }] }
    case 'older':
      return { state, effects: [{ do: 'older' }] }
    case 'show':
      if (event.overlay !== 'consents') return put({ overlay: { is: event.overlay } })
      return { state: { ...state, overlay: asking }, effects: [{ do: 'load-consents' }] }
    case 'close':
      return overlay.is === 'reauth' || overlay.is === 'idle' ? put({}) : put({ overlay: { is: 'none' } })
    case 'consents':
      if (overlay.is !== 'consents') return put({})
      return put({
        overlay: {
          ...overlay,
          list: event.list ?? overlay.list,
          saving: null,
          note: event.list === null ? 'failed' : overlay.saving === null ? overlay.note : 'saved',
        },
      })
    case 'consent':
      if (overlay.is !== 'consents' || overlay.saving !== null) return put({})
      return {
        state: { ...state, overlay: { ...overlay, saving: event.scope, note: 'none' } },
        effects: [{ do: 'set-consent', scope: event.scope, agreed: event.agreed }],
      }
    case 'consent-failed':
      return overlay.is === 'consents' ? put({ overlay: { ...overlay, saving: null, note: 'failed' } }) : put({})
    case 'stay':
      return { state: { ...state, extendedAt: state.now }, effects: [{ do: 'extend' }] }
    case 'extended':
      if (!session) return put({})
      return put({
        session: { ...session, ...event.answer },
        overlay: overlay.is === 'idle' ? { is: 'none' } : overlay,
      })
    case 'reauth':
      return reauth(state, event)
    case 'reauthed':
      return reauthed(state, event)
    case 'log-off':
      return ended(state, 'you')
    case 'over':
      return session ? ended(state, 'over') : put({})
    case 'superseded':
      if (!session) return put({})
      return {
        state: {
          ...state,
          screen: { at: 'other-tab' },
          session: null,
          talk: null,
          compose: emptyCompose,
          overlay: { is: 'none' },
        },
        effects: [{ do: 'drop' }],
      }
    default:
      return null
  }
}

const asking: Overlay = { is: 'consents', list: null, saving: null, note: 'none' }

const send = (state: State): Step => {
  const { compose, session } = state
  const text = compose.text.trim()
  if (!session || compose.preparing || (text === '' && !compose.staged)) return { state, effects: [] }
  if (new TextEncoder().encode(text).length > session.limits.textBytes)
    return { state: { ...state, compose: { ...compose, notice: 'too-long' } }, effects: [] }
  return {
    state: { ...state, compose: emptyCompose },
    effects: [
      ...(compose.staged ? [{ do: 'send-media' as const, staged: compose.staged }] : []),
      ...(text === '' ? [] : [{ do: 'send-text' as const, text }]),
      { do: 'save-draft', text: '' },
    ],
  }
}

const reauth = (state: State, event: Extract<Event, { type: 'reauth' }>): Step => {
  const { overlay, session } = state
  if (overlay.is !== 'reauth' || overlay.busy || !session) return { state, effects: [] }
  if (event.value === null) return { state: { ...state, overlay: { ...overlay, fault: event.fault } }, effects: [] }
  return {
    state: { ...state, overlay: { ...overlay, busy: true, fault: null }, problem: null },
    effects: [{ do: 'reauth', factor: session.reauthFactor ?? 'birth_date', value: event.value }],
  }
}

const reauthed = (state: State, event: Extract<Event, { type: 'reauthed' }>): Step => {
  const { overlay, session } = state
  const { answer } = event
  if (overlay.is !== 'reauth' || !session) return { state, effects: [] }
  if (answer.state === 'wrong')
    return {
      state: { ...state, overlay: { ...overlay, busy: false, fault: 'wrong', triesLeft: answer.triesLeft } },
      effects: [],
    }
  if (answer.state === 'locked') {
    const left = ended(state, 'over')
    return { ...left, state: { ...left.state, screen: { at: 'locked' } } }
  }
  const { idleAt, reauthAt } = answer
  return { state: { ...state, session: { ...session, idleAt, reauthAt }, overlay: { is: 'none' } }, effects: [] }
}
