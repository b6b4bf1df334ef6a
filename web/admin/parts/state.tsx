import type { ComponentChildren, JSX } from 'preact'
import { text } from '../text.ts'
import type { Loaded } from '../use-view.ts'
import { Icon } from './icons.tsx'

/** The state of a view that is read: what is wrong and how to try again, or that it loads. Data that is there stays while it is read anew. */
export const Reading = <T,>({ view }: { view: Loaded<T> }): JSX.Element | null => {
  if (view.problem)
    return (
      <div class="alert" role="alert">
        <p>{view.problem}</p>
        <button type="button" class="small" onClick={view.reload}>
          {text.again}
        </button>
      </div>
    )
  if (view.data === null)
    return (
      <p class="hint" role="status">
        {text.loading} …
      </p>
    )
  return null
}

export const Refresh = ({ busy, onClick }: { busy: boolean; onClick: () => void }): JSX.Element => (
  <button type="button" class="plain small" aria-disabled={busy} onClick={() => busy || onClick()}>
    <Icon of="refresh" />
    {text.refresh}
  </button>
)

/** A coloured word; the colour says nothing that the word does not. */
export const Tag = ({ tone, children }: { tone: 'good' | 'warn' | 'bad' | 'plain'; children: ComponentChildren }) => (
  <span class={`tag tag-${tone}`}>{children}</span>
)
