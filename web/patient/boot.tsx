import wasmUrl from 'crypto.wasm?url'
import { type ComponentType, render } from 'preact'
import { createApi } from './api.ts'
import { App, type InsideProps } from './app.tsx'
import type { Event } from './events.ts'
import { initialState, type State } from './model.ts'
import { reduce } from './reduce.ts'
import { createRunner } from './run.ts'
import { browserLang } from './text/index.ts'

/** Starts the page: state, view, and the runner that carries out effects. */
export const boot = (): void => {
  const token = /^\/l\/([1-9A-HJ-NP-Za-km-z]{22})\/?$/.exec(location.pathname)?.[1] ?? null
  let state: State = initialState(token, browserLang(navigator.languages), Date.now())
  let inside: ComponentType<InsideProps> | null = null
  const page = document.querySelector('#page')!
  page.textContent = ''

  // An effect of a view may send an event while its tree is being drawn: that drawing ends before the next begins.
  let drawing = false
  let stale = false
  const draw = () => {
    stale = true
    if (drawing) return
    drawing = true
    try {
      while (stale) {
        stale = false
        render(<App state={state} send={send} loadMedia={id => runner.loadMedia(id)} inside={inside} />, page)
      }
    } finally {
      drawing = false
    }
  }
  const send = (event: Event): void => {
    const step = reduce(state, event)
    state = step.state
    draw()
    for (const effect of step.effects) runner.run(effect)
  }
  const runner = createRunner({
    api: createApi(token, (url, init) => fetch(url, init)),
    send,
    state: () => state,
    wasmUrl,
    matrix: () => import('./matrix/index.ts'),
    view: async () => {
      inside = (await import('./inside/inside.tsx')).Inside
      draw()
    },
  })

  draw()
  runner.loadClinic()
  send({ type: 'online', online: navigator.onLine })
  send({ type: 'begin', wasm: typeof WebAssembly === 'object' && typeof crypto.subtle === 'object' })
  runner.watch()
}
