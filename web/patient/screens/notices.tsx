import type { ComponentChildren, JSX } from 'preact'
import type { Screen } from '../model.ts'
import { Badge, CallButton, Frame, type ScreenProps } from './frame.tsx'

type BadgeKind = Parameters<typeof Badge>[0]['kind']
type NoticeProps = ScreenProps & { badge: BadgeKind; title: string; lines: string[]; children?: ComponentChildren }

const Notice = ({ badge, title, lines, children, ...props }: NoticeProps): JSX.Element => (
  <Frame {...props}>
    <Badge kind={badge} />
    <h1>{title}</h1>
    {lines.map(line => (
      <p key={line}>{line}</p>
    ))}
    {children ? <div class="actions">{children}</div> : null}
  </Frame>
)

type MainProps = { busy?: boolean; label: string; busyLabel: string; onClick: () => void }

const Main = ({ busy = false, label, busyLabel, onClick }: MainProps): JSX.Element => (
  <button type="button" class="main wide" aria-disabled={busy} onClick={() => busy || onClick()}>
    {busy ? busyLabel : label}
  </button>
)

/** Every screen that says one thing and offers one or two ways on. Null for the screens that are drawn elsewhere. */
export const Notices = (props: ScreenProps): JSX.Element | null => {
  const { state, words, send } = props
  const { screen } = state
  const back = (
    <button type="button" class="plain wide" onClick={() => send({ type: 'go', to: 'landing' })}>
      {words.back}
    </button>
  )
  switch (screen.at) {
    case 'ask-not-me':
      return (
        <Notice {...props} badge="warn" title={words.notMe.title} lines={[words.notMe.text]}>
          <Main
            busy={screen.busy}
            label={words.notMe.yes}
            busyLabel={words.busy}
            onClick={() => send({ type: 'not-me' })}
          />
          <button type="button" class="plain wide" onClick={() => send({ type: 'go', to: 'landing' })}>
            {words.notMe.no}
          </button>
        </Notice>
      )
    case 'ask-stop':
      return (
        <Notice {...props} badge="warn" title={words.stop.title} lines={[words.stop.text]}>
          <Main
            busy={screen.busy}
            label={words.stop.yes}
            busyLabel={words.busy}
            onClick={() => send({ type: 'stop' })}
          />
          <button type="button" class="plain wide" onClick={() => send({ type: 'go', to: 'landing' })}>
            {words.stop.no}
          </button>
        </Notice>
      )
    case 'not-me':
      return <Notice {...props} badge="tick" title={words.notMe.doneTitle} lines={[words.notMe.doneText]} />
    case 'stopped':
      return (
        <Notice {...props} badge="tick" title={words.stop.doneTitle} lines={[words.stop.doneText]}>
          {back}
        </Notice>
      )
    case 'locked':
      return (
        <Notice {...props} badge="lock" title={words.locked.title} lines={[words.locked.text, words.locked.next]}>
          <CallButton {...props} main />
        </Notice>
      )
    case 'closed':
      return (
        <Notice {...props} badge="clock" title={words.closed.title} lines={[words.closed.text, words.closed.next]}>
          <Main
            busy={screen.busy}
            label={words.closed.send}
            busyLabel={words.busy}
            onClick={() => send({ type: 'new-link' })}
          />
          <CallButton {...props} />
        </Notice>
      )
    case 'new-link':
      return (
        <Notice {...props} badge="message" title={words.newLink.title} lines={[words.newLink.text, words.newLink.next]}>
          <CallButton {...props} />
        </Notice>
      )
    case 'no-wasm':
      return (
        <Notice {...props} badge="warn" title={words.noWasm.title} lines={[words.noWasm.text, words.noWasm.next]}>
          <CallButton {...props} main />
        </Notice>
      )
    case 'failed':
      return <Failed {...props} why={screen.why} />
    case 'ended':
      return <Ended {...props} screen={screen} />
    case 'other-tab':
      return (
        <Notice {...props} badge="lock" title={words.otherTab.title} lines={[words.otherTab.text]}>
          <Main label={words.otherTab.here} busyLabel={words.busy} onClick={() => send({ type: 'open' })} />
        </Notice>
      )
    default:
      return null
  }
}

const Failed = ({ why, ...props }: ScreenProps & { why: Extract<Screen, { at: 'failed' }>['why'] }): JSX.Element => {
  const text = props.words.failed
  return (
    <Notice {...props} badge="cloud" title={text[`${why}Title`]} lines={[text[why], text.urgent]}>
      <Main
        label={props.words.tryAgain}
        busyLabel={props.words.busy}
        onClick={() => props.send({ type: 'retry-open' })}
      />
      <CallButton {...props} />
    </Notice>
  )
}

const Ended = ({ screen, ...props }: ScreenProps & { screen: Extract<Screen, { at: 'ended' }> }): JSX.Element => {
  const text = props.words.ended
  const lines = [screen.why === 'you' ? text.youText : text.idleText, ...(screen.draft ? [text.draft] : []), text.close]
  const again =
    screen.why === 'you' ? (
      <button type="button" class="plain wide" onClick={() => props.send({ type: 'new-link' })}>
        {text.newLink}
      </button>
    ) : (
      <Main label={text.again} busyLabel={props.words.busy} onClick={() => props.send({ type: 'open' })} />
    )
  return (
    <Notice {...props} badge={screen.why === 'you' ? 'tick' : 'clock'} title={text[screen.why]} lines={lines}>
      {again}
    </Notice>
  )
}
