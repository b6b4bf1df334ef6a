import type { ComponentType, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Boundary } from '../shared/boundary.tsx'
import type { MessageActions } from '../shared/conversation/message.tsx'
import { brandOf } from './brand.ts'
import type { Event } from './events.ts'
import type { State } from './model.ts'
import { Check } from './screens/check.tsx'
import { Factor } from './screens/factor.tsx'
import { CallButton, Frame, type ScreenProps } from './screens/frame.tsx'
import { Landing } from './screens/landing.tsx'
import { Notices } from './screens/notices.tsx'
import { Opening } from './screens/opening.tsx'
import { wordsOf } from './text/index.ts'

export type InsideProps = { state: State; send: (event: Event) => void; loadMedia: MessageActions['loadMedia'] }

type Props = InsideProps & {
  /** The conversation screen, which arrives in its own chunk. */
  inside: ComponentType<InsideProps> | null
}

/** The whole page as a function of its state. Moves the focus to the new screen's heading, so that a screen reader speaks it. */
export const App = ({ state, send, loadMedia, inside }: Props): JSX.Element => {
  const { screen, lang, clinic } = state
  const words = wordsOf(lang)
  const props = { state, words, send }
  const place = screen.at === 'factor' ? `factor-${screen.factor}` : screen.at
  const last = useRef(place)

  useEffect(() => {
    document.documentElement.lang = lang
    if (clinic) document.title = clinic.name
  }, [lang, clinic])
  useEffect(() => {
    if (clinic) paint(clinic.colour)
  }, [clinic])
  useEffect(() => {
    if (last.current === place || last.current === 'starting') {
      last.current = place
      return
    }
    last.current = place
    const heading = document.querySelector<HTMLElement>('#page h1')
    if (!heading) return
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [place])

  return (
    <Boundary place={place} broken={() => send({ type: 'broken' })} instead={<Broken {...props} />}>
      <Screens {...props} loadMedia={loadMedia} inside={inside} />
    </Boundary>
  )
}

/** What stands where no screen can be drawn, with as little as possible that could fail. */
const Broken = ({ state, words }: ScreenProps): JSX.Element => (
  <main class="card">
    <h1>{words.failed.brokenTitle}</h1>
    <p>{words.failed.broken}</p>
    <p>{words.failed.urgent}</p>
    <div class="actions">
      <button type="button" class="main wide" onClick={() => location.reload()}>
        {words.tryAgain}
      </button>
      <CallButton state={state} words={words} />
    </div>
  </main>
)

const Screens = ({ loadMedia, inside: Inside, ...props }: ScreenProps & Omit<Props, 'state'>): JSX.Element => {
  const { state, words, send } = props
  const { screen } = state
  switch (screen.at) {
    case 'starting':
      return (
        <Frame {...props}>
          <h1 class="unseen">{words.loading}</h1>
          <p aria-hidden="true">{words.loading}</p>
        </Frame>
      )
    case 'landing':
      return <Landing {...props} busy={screen.busy} />
    case 'factor':
      return <Factor key={screen.factor} {...props} screen={screen} />
    case 'check':
      return <Check {...props} screen={screen} />
    case 'opening':
      return <Opening {...props} step={screen.step} />
    case 'conversation':
      return Inside ? (
        <Inside state={state} send={send} loadMedia={loadMedia} />
      ) : (
        <Opening {...props} step="messages" />
      )
    default:
      return <Notices {...props} />
  }
}

/** The clinic's colour, through the CSS object model: a style attribute would break the content security policy. */
const paint = (colour: string): void => {
  const brand = brandOf(colour)
  const style = document.documentElement.style
  style.setProperty('--brand-light', brand.light)
  style.setProperty('--brand-dark', brand.dark)
  style.setProperty('--on-brand-dark', brand.onDark)
}
