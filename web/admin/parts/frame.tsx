import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ViewName } from '../../admin-contract.ts'
import type { Inside } from '../inside.ts'
import { text } from '../text.ts'
import { Icon } from './icons.tsx'

const groups: readonly [keyof typeof text.nav, readonly ViewName[]][] = [
  ['audit', ['timeline', 'reports', 'alerts', 'sinks', 'checkpoint']],
  ['oncall', ['on-call', 'schedule', 'pages', 'responses']],
]

/** The view that the address names, of those that this person sees; no address holds a filter. */
export const viewHere = (views: readonly ViewName[]): ViewName =>
  views.find(view => location.hash === `#${view}`) ?? views[0] ?? 'timeline'

const toContent = () => document.querySelector<HTMLElement>('#main h1')?.focus({ preventScroll: true })

type Props = {
  inside: Inside
  view: ViewName
  endsAt: number
  now: number
  onSignOut: () => void
  children: ComponentChildren
}

/** Navigation (a menu on a phone, a column beside the content on more), who is signed in, the way out, and one screen. */
export const Frame = ({ inside, view, endsAt, now, onSignOut, children }: Props): JSX.Element => {
  const [open, setOpen] = useState(false)
  const shown = useRef<ViewName | null>(null)
  useEffect(() => {
    setOpen(false)
    document.title = `${text.views[view]} · ${text.product}`
    // The first screen too: a screen reader hears where signing in has led.
    toContent()
    if (shown.current) window.scrollTo(0, 0)
    shown.current = view
  }, [view])
  const ending = endsAt - now < 10 * 60_000
  return (
    <div class={`frame ${open ? 'menu-open' : ''}`}>
      <button type="button" class="skip" onClick={toContent}>
        {text.skip}
      </button>
      <header class="side">
        <div class="side-top">
          <p class="product">{text.product}</p>
          <button
            type="button"
            class="plain menu"
            aria-expanded={open}
            aria-controls="nav"
            onClick={() => setOpen(!open)}
          >
            <Icon of="menu" />
            {text.menu}
          </button>
        </div>
        <div class="side-more" id="nav">
          <p class="clinic">{inside.session.clinic}</p>
          {groups.map(([group, all]) => {
            const views = all.filter(one => inside.session.views.includes(one))
            if (views.length === 0) return null
            return (
              <nav key={group} aria-label={text.nav[group]}>
                <ul>
                  {views.map(one => (
                    <li key={one}>
                      <a
                        href={`#${one}`}
                        aria-current={one === view ? 'page' : undefined}
                        onClick={() => setOpen(false)}
                      >
                        <Icon of={one} />
                        {text.views[one]}
                      </a>
                    </li>
                  ))}
                </ul>
              </nav>
            )
          })}
          <div class="who">
            <p>
              <span class="hint">{text.signedInAs}</span>
              <br />
              <strong>{inside.session.userId}</strong>
              <br />
              {inside.session.roles.map(role => text.roles[role]).join(', ')}
            </p>
            <button type="button" class="plain" onClick={onSignOut}>
              <Icon of="out" />
              {text.signOut}
            </button>
            <p class="hint small-print">
              {text.recorded} {text.times(inside.session.timeZone)}
            </p>
          </div>
        </div>
      </header>
      <main id="main">
        {ending ? (
          <p class="notice" role="status">
            {text.ending(inside.times.time(endsAt).slice(0, 5))}
          </p>
        ) : null}
        {children}
      </main>
    </div>
  )
}
