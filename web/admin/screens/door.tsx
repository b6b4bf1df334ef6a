import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Gone } from '../inside.ts'
import { Copy } from '../parts/copy.tsx'
import { LockBadge } from '../parts/icons.tsx'
import { text } from '../text.ts'

export type DoorState =
  | { is: 'link'; token: string; busy?: boolean; problem?: string }
  | { is: 'how'; problem?: string }
  | { is: 'closed' }
  | { is: 'gone'; why: Gone }

const words = text.door

/** What somebody sees who is not signed in. */
export const Door = ({ state, onSignIn }: { state: DoorState; onSignIn: (token: string) => void }): JSX.Element => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = text.product
    heading.current?.focus()
  }, [state.is])
  const problem = 'problem' in state ? state.problem : undefined
  return (
    <main class="door">
      <p class="product">{text.product}</p>
      <LockBadge />
      <h1 ref={heading} tabIndex={-1}>
        {titleOf(state)}
      </h1>
      {problem ? (
        <p class="alert" role="alert">
          {problem}
        </p>
      ) : null}
      {state.is === 'link' ? <Link state={state} onSignIn={onSignIn} /> : <Ask state={state} />}
    </main>
  )
}

const titleOf = (state: DoorState): string => {
  switch (state.is) {
    case 'link':
      return words.title
    case 'how':
      return words.howTitle
    case 'closed':
      return words.closedTitle
    case 'gone':
      return words.goneTitle
  }
}

const Link = ({
  state,
  onSignIn,
}: {
  state: Extract<DoorState, { is: 'link' }>
  onSignIn: (token: string) => void
}): JSX.Element => (
  <>
    <p>{words.one}</p>
    <p>{words.two}</p>
    <button
      type="button"
      class="main big"
      aria-disabled={state.busy ?? false}
      onClick={() => state.busy || onSignIn(state.token)}
    >
      {state.busy ? words.busy : words.button}
    </button>
    <p class="hint">{text.recorded}</p>
  </>
)

const Ask = ({ state }: { state: Exclude<DoorState, { is: 'link' }> }): JSX.Element => (
  <>
    {state.is === 'gone' ? <p>{words.gone[state.why]}</p> : null}
    <p>{state.is === 'closed' ? words.closed : state.is === 'gone' ? words.newLink : words.how}</p>
    <Copy what={words.command} />
    <p class="hint">{words.sends}</p>
  </>
)
