import type { Clinic, ConsentView, Session } from '../contract.ts'
import { isSignOfLife, signsOfLife } from '../shared/deadlines.ts'
import { type Api, ApiError } from './api.ts'
import type { Effect, Event } from './events.ts'
import type { State } from './model.ts'
import { type Conversation, type MatrixChunk, OpenFailed } from './port.ts'

export type RunnerDeps = {
  api: Api
  send: (event: Event) => void
  state: () => State
  wasmUrl: string
  matrix: () => Promise<MatrixChunk>
  view: () => Promise<void>
}

type Handlers = { [K in Effect['do']]: (effect: Extract<Effect, { do: K }>) => void }

/** Carries out what `reduce` decided. Holds the one thing that is not state: the live conversation. */
export const createRunner = ({ api, send, state, wasmUrl, matrix, view }: RunnerDeps) => {
  let talk: Conversation | null = null
  let opening = 0

  const calling = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401 && state().session) send({ type: 'over' })
      else if (error instanceof ApiError && error.status >= 502 && error.status <= 504) send({ type: 'away' })
      else send({ type: 'problem', problem: error instanceof ApiError ? error.problem : 'server' })
    })
  }
  const withSession = <T>(work: (session: Session) => Promise<T>): Promise<T | undefined> => {
    const { session } = state()
    return session ? work(session) : Promise.resolve(undefined)
  }

  const open = async (session: Session): Promise<void> => {
    const turn = ++opening
    const current = () => turn === opening
    try {
      const [chunk] = await Promise.all([matrix(), view()])
      const opened = await chunk.open({
        api,
        session,
        onStep: step => current() && send({ type: 'opening', step }),
        onTalk: next => current() && send({ type: 'talk', talk: next }),
        onDraft: text => current() && send({ type: 'draft', text }),
        onLoggedOut: why => current() && send({ type: why }),
      })
      if (!current()) return opened.drop()
      talk = opened
      send({ type: 'opened' })
    } catch (error) {
      if (!current()) return
      const failure = error instanceof OpenFailed ? error : new OpenFailed('setup', 'chunk', error)
      console.error('opening failed', failure.code)
      send({ type: 'open-failed', why: failure.why })
      api.step(session, 'failed', failure.code).catch(() => undefined)
    }
  }

  const letGo = async (draft: string): Promise<void> => {
    const closing = talk
    talk = null
    opening++
    await closing?.close(draft).catch(() => console.error('close failed'))
  }
  const close = async (session: Session, draft: string, ends: boolean): Promise<void> => {
    await letGo(draft)
    if (ends) await api.end(session).catch(() => console.error('end failed'))
    else api.leave(session)
  }

  const prepare = async (effect: Extract<Effect, { do: 'prepare' }>): Promise<void> => {
    const { file, kind, maxBytes } = effect
    if (file.size === 0) return send({ type: 'compose-notice', notice: 'empty' })
    const picture = kind === 'photo' || file.type.startsWith('image/')
    try {
      const staged = picture
        ? await (await matrix()).preparePhoto(file)
        : { kind: 'file' as const, name: file.name, blob: file, url: '' }
      if (staged.blob.size > maxBytes) return send({ type: 'compose-notice', notice: 'too-big' })
      send({ type: 'staged', staged })
    } catch {
      send({ type: 'compose-notice', notice: 'bad-photo' })
    }
  }

  const handlers: Handlers = {
    resume: ({ again }) => calling(resume(again)),
    tap: () => calling(api.tap().then(answer => send({ type: 'tapped', answer }))),
    verify: ({ factor, value }) =>
      calling(api.verify(factor, value).then(answer => send({ type: 'verified', answer }))),
    'sms-code': () => calling(api.smsCode().then(() => send({ type: 'code-sent' }))),
    'new-link': () => calling(api.newLink().then(() => send({ type: 'done', what: 'new-link' }))),
    'not-me': () => calling(api.notMe().then(() => send({ type: 'done', what: 'not-me' }))),
    stop: () => calling(api.stop().then(() => send({ type: 'done', what: 'stop' }))),
    check: ({ host }) => calling(api.check(host).then(({ ours }) => send({ type: 'checked', ours }))),
    preload: () => preload(wasmUrl, matrix, view),
    open: ({ session }) => void open(session),
    'save-draft': ({ text }) => talk?.saveDraft(text),
    'send-text': ({ text }) => talk?.sendText(text),
    'send-media': ({ staged }) => talk?.sendMedia(staged),
    'drop-media': ({ staged }) => URL.revokeObjectURL(staged.url),
    prepare: effect => void prepare(effect),
    retry: ({ id }) => talk?.retry(id),
    discard: ({ id }) => talk?.discard(id),
    older: () => talk?.older(),
    seen: ({ id }) => {
      if (document.visibilityState === 'visible') talk?.seen(id)
    },
    'load-consents': () => consents(withSession(s => api.consents(s))),
    'set-consent': ({ scope, agreed }) =>
      consents(withSession(s => api.setConsent(s, scope, agreed).then(() => api.consents(s)))),
    extend: () => calling(withSession(s => api.extend(s)).then(answer => answer && send({ type: 'extended', answer }))),
    reauth: ({ factor, value }) =>
      calling(
        withSession(s => api.reauth(s, factor, value)).then(answer => answer && send({ type: 'reauthed', answer })),
      ),
    'let-go': ({ draft }) => void letGo(draft),
    'tell-broken': ({ session }) => void api.step(session, 'failed', 'drawing').catch(() => undefined),
    close: ({ session, draft, ends }) => void close(session, draft, ends),
    drop: () => {
      opening++
      talk?.drop()
      talk = null
    },
  }
  const run = <E extends Effect>(effect: E): void => (handlers[effect.do] as (effect: E) => void)(effect)

  const consents = (work: Promise<ConsentView[] | undefined>): void => {
    work.then(
      list => send({ type: 'consents', list: list ?? null }),
      () => send({ type: 'consent-failed' }),
    )
  }

  const resume = async (again: boolean): Promise<void> => {
    const session = again || reloaded() ? await api.resume() : null
    send({ type: 'resumed', session })
  }

  return {
    run,
    loadMedia: (id: string): Promise<string> => talk?.loadMedia(id) ?? Promise.reject(new Error('no conversation')),
    loadClinic: () => {
      const attempt = (wait: number): void => {
        api.clinic().then(
          (clinic: Clinic) => send({ type: 'clinic', clinic }),
          () => setTimeout(() => attempt(Math.min(wait * 2, 30_000)), wait),
        )
      }
      attempt(1000)
    },
    watch: () => watch(send, state, api, () => talk),
  }
}

/** A new visit starts with the person's tap; only a reload of this very tab goes back to where it was. */
const reloaded = (): boolean => {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  return entry?.type === 'reload' || entry?.type === 'back_forward'
}

/** Starts the big downloads while the person types the birth date: the code, the crypto wasm and the conversation's view. */
const preload = (wasmUrl: string, matrix: RunnerDeps['matrix'], view: RunnerDeps['view']): void => {
  requestAnimationFrame(() =>
    setTimeout(() => {
      const link = Object.assign(document.createElement('link'), {
        rel: 'preload',
        as: 'fetch',
        href: wasmUrl,
        type: 'application/wasm',
      })
      link.crossOrigin = 'anonymous'
      document.head.append(link)
      view().catch(() => undefined)
      matrix()
        .then(chunk => chunk.warm())
        .catch(() => undefined)
    }),
  )
}

const watch = (send: (event: Event) => void, state: () => State, api: Api, talk: () => Conversation | null): void => {
  window.addEventListener('online', () => {
    send({ type: 'online', online: true })
    talk()?.resend()
  })
  window.addEventListener('offline', () => send({ type: 'online', online: false }))
  // Not in the capture phase: drawing before a field's own listener has read it would put its old value back.
  const act = (event: globalThis.Event): void => {
    if (isSignOfLife(event)) send({ type: 'activity' })
  }
  for (const kind of signsOfLife) window.addEventListener(kind, act, { passive: true })
  setInterval(() => state().session && send({ type: 'tick', now: Date.now() }), 1000)
  window.addEventListener('pagehide', () => {
    const { session } = state()
    if (session) api.leave(session)
  })
  window.addEventListener('pageshow', event => event.persisted && location.reload())
  window.addEventListener('beforeunload', event => {
    const lost =
      state().talk?.items.some(item => item.mark === 'failed' || item.mark === 'sending') ||
      state().compose.staged !== null
    if (lost) event.preventDefault()
  })
}
