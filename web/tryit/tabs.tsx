import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export type Side = 'clinician' | 'patient'

const sides: { side: Side; label: string }[] = [
  { side: 'clinician', label: 'Clinician' },
  { side: 'patient', label: 'Telephone' },
]

const query = '(min-width: 900px)'

/** Whether both sides fit beside each other. */
export const useWide = (): boolean => {
  const [wide, setWide] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const changed = () => setWide(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return wide
}

type Props = { side: Side; news: Record<Side, boolean>; onSide: (side: Side) => void }

/** One side at a time, with a dot on the other one when something waits there (WAI-ARIA tabs: arrow keys move). */
export const Tabs = ({ side, news, onSide }: Props): JSX.Element => {
  const box = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
    event.preventDefault()
    const other = side === 'clinician' ? 'patient' : 'clinician'
    onSide(other)
    box.current?.querySelector<HTMLElement>(`#${other}-tab`)?.focus()
  }
  return (
    <div ref={box} class="tabs" role="tablist" aria-label="Side" onKeyDown={move}>
      {sides.map(({ side: name, label }) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`${name}-tab`}
          aria-controls={`${name}-panel`}
          aria-selected={side === name}
          tabIndex={side === name ? 0 : -1}
          onClick={() => onSide(name)}
        >
          {label}
          {news[name] && side !== name ? (
            <span class="news">
              <span class="unseen">something new</span>
            </span>
          ) : null}
        </button>
      ))}
    </div>
  )
}
